#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/time/time.h"
#include "dnsd/ctl/admin_client.h"
#include "dnsd/ctl/documents.h"

namespace meshdns::ctl {

/// The exit codes. A command that compares or checks returns 1 for its finding, and more if it could not look.
enum Exit : int { kOk = 0, kFailed = 1, kWrongUsage = 2, kNotCompared = 3 };

/// Prints the error.
/// returns: the exit code
int fail(const Error& error);
/// Returns the objects of a file, a folder or "-" (standard input); nothing = all problems were printed.
/// outcome: the consequence, for the problems: "nothing applied"
std::optional<std::vector<v1::Object>> read_objects(const std::string& file, const char* outcome);

/// The owner of a certificate or token, as a flag names it.
struct Owner {
  std::string cluster, name;
};
/// Reads "CLUSTER/NAME", the value of the flag --role.
/// errors: InvalidArgument: there is no slash
Result<Owner> owner_of(std::string_view role, const std::string& text);
/// Returns the federation's name of a kind: of "vd", "nodes", "endpoint", "cluster", ...; nothing = no such kind.
std::optional<std::string> kind_named(const std::string& word);
/// Returns the message for a word that is no kind, with the list of kinds.
std::string unknown_kind(const std::string& word);

// Each function runs one command and returns the exit code; results go to standard output, errors to standard error.

struct ApplyFlags {
  bool dry_run = false;
  bool force = false;
  bool strict = false;  // refuses objects of which lint warns
};
/// Applies objects, then prints what lint finds in them.
int apply(AdminClient& client, const std::vector<std::string>& files, const ApplyFlags& flags);
/// Compares files with the federation's objects. Exit code 1 if there is a difference, more if they cannot be compared.
int diff(AdminClient& client, const std::vector<std::string>& files);
/// Deletes objects.
/// names: "vd shop/app-b", "cluster eu-1", "override drain-node-eu1-n1"; or the objects of files
int erase(AdminClient& client, const std::vector<std::string>& names, const std::vector<std::string>& files,
          bool ignore_not_found);
/// Makes the federation forget a node.
/// word: "node=eu-1/n7"
int forget(AdminClient& client, const std::string& word);
/// The things that get and describe show.
struct ListSelection {
  std::string kind;    // as the federation calls it
  std::string name{};  // empty = all
  // of endpoints only; empty = all
  std::string service{};
  std::string node{};
  std::string state{};
  std::vector<std::string> labels{};
};
/// The number of rows that get asks for and shows.
struct RowLimits {
  std::uint32_t page = AdminClient::kRows;  // asked for in one call
  std::uint64_t most = 0;                   // shown; 0 = all
};
/// Prints a listing, page by page as the pages come.
/// unix_seconds: now
int get(AdminClient& client, const ListSelection& what, Output output, std::int64_t unix_seconds,
        const RowLimits& rows);
/// Like get() for nodes and endpoints, and then prints each row that changes, until it is interrupted.
int get_and_watch(AdminClient& client, const ListSelection& what, Output output, std::int64_t unix_seconds);
/// Returns names of the server's mesh for completions: of a kind, or of "host", "service" or "zone". Empty if no server
/// answers.
std::vector<std::string> names_of(AdminClient& client, const std::string& kind);
/// Prints everything about one thing. For JSON and YAML the same as get().
int describe(AdminClient& client, const ListSelection& what, Output output, std::int64_t unix_seconds);
int explain(AdminClient& client, const v1::ExplainRequest& request, Output output);
/// Prints the status.
/// check: exit code 1 if something is wrong though answers go on, 2 if nothing is answered
int status(AdminClient& client, Output output, bool check);
/// Makes a replica take the set that it refuses.
int approve_shrink(AdminClient& client);
/// Prints some of the matching queries as they come, for `length`.
int capture(AdminClient& client, v1::CaptureRequest request, Duration length, Output output);

}  // namespace meshdns::ctl
