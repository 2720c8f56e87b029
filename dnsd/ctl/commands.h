#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/time/time.h"
#include "dnsd/ctl/client.h"
#include "dnsd/ctl/documents.h"

namespace meshdns::ctl {

/// Exit codes: a command that compares or checks says with 1 what it found, and with more that it could not look.
enum Exit : int { kOk = 0, kFailed = 1, kWrongUsage = 2, kNotCompared = 3 };

/// Prints the error. returns: the exit code
int fail(const Error& error);
/// The objects of a file, a folder or "-" (standard input); all problems were printed if there is nothing.
/// outcome: what they come to: "nothing applied"
std::optional<std::vector<v1::Object>> read_objects(const std::string& file, const char* outcome);

/// "vd", "nodes", "endpoint", "cluster", ... as the federation calls it; nothing = no such kind
std::optional<std::string> kind_named(const std::string& word);
/// Why a word is no kind, with those that there are.
std::string unknown_kind(const std::string& word);

// Each does one command and returns the exit code; results go to standard output, errors to standard error.

struct ApplyFlags {
  bool dry_run = false;
  bool force = false;
  bool strict = false;  // what lint warns of is refused
};
/// Behind what was applied it prints what lint finds in it.
int apply(Client& client, const std::vector<std::string>& files, const ApplyFlags& flags);
/// Exit code 1 if there is a difference, more if they cannot be compared.
int diff(Client& client, const std::vector<std::string>& files);
/// names: "vd shop/app-b", "cluster eu-1", "override drain-node-eu1-n1"; or the objects of files
int erase(Client& client, const std::vector<std::string>& names, const std::vector<std::string>& files,
          bool ignore_not_found);
/// word: "node=eu-1/n7"
int forget(Client& client, const std::string& word);
/// What get and describe are about.
struct Named {
  std::string kind;    // as the federation calls it
  std::string name{};  // empty = all
  // of endpoints only; empty = all
  std::string service{};
  std::string node{};
  std::string state{};
  std::vector<std::string> labels{};
};
/// How much get asks for and shows.
struct Rows {
  std::uint32_t page = Client::kRows;  // asked for at a time
  std::uint64_t most = 0;              // shown; 0 = all
};
/// Prints page after page as they come. unix_seconds: now
int get(Client& client, const Named& what, Output output, std::int64_t unix_seconds, const Rows& rows);
/// The same, and then each row that becomes different, until it is interrupted. Of nodes and endpoints.
int get_and_watch(Client& client, const Named& what, Output output, std::int64_t unix_seconds);
/// Names that a server has, for completions: of a kind, or "host", "service" and "zone". Empty where none answers.
std::vector<std::string> names_of(Client& client, const std::string& kind);
/// For json and yaml the same as get of one thing.
int describe(Client& client, const Named& what, Output output, std::int64_t unix_seconds);
int explain(Client& client, const v1::ExplainRequest& request, Output output);
/// check: exit code 1 if something is wrong though answers go on, 2 if nothing is answered
int status(Client& client, Output output, bool check);
/// For a replica that refuses what its federation says.
int approve_shrink(Client& client);
/// Some of the queries that match, while they come, for so long.
int capture(Client& client, v1::CaptureRequest request, Duration length, Output output);

}  // namespace meshdns::ctl
