#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/time/time.h"
#include "dnsd/ctl/client.h"
#include "dnsd/ctl/documents.h"

namespace meshdns::ctl {

/// Exit codes of interface.md section 1
enum Exit : int { kOk = 0, kFailed = 1, kWrongUsage = 2 };

/// Prints the error. returns: the exit code
int fail(const Error& error);
/// The objects of a file ("-" = standard input); all problems were printed if there is nothing.
/// outcome: what they come to: "nothing applied"
std::optional<std::vector<v1::Object>> read_objects(const std::string& file, const char* outcome);

/// "vd", "nodes", "endpoint", "cluster", ... as the federation calls it; nothing = no such kind
std::optional<std::string> kind_named(const std::string& word);

// Each does one command and returns the exit code; results go to standard output, errors to standard error.

int apply(Client& client, const std::string& file, bool dry_run, bool force);
/// Exit code 1 if there is a difference.
int diff(Client& client, const std::string& file);
/// names: "vd shop/app-b", "cluster eu-1", "override drain-node-eu1-n1"; or the objects of a file
int erase(Client& client, const std::vector<std::string>& names, const std::string& file);
/// What get and describe are about.
struct Named {
  std::string kind;  // as the federation calls it
  std::string name;  // empty = all
};
/// How much get asks for and shows.
struct Rows {
  std::uint32_t page = Client::kRows;  // asked for at a time
  std::uint64_t most = 0;              // shown; 0 = all
};
/// Prints page after page as they come. unix_seconds: now
int get(Client& client, const Named& what, Output output, std::int64_t unix_seconds, const Rows& rows);
/// For json and yaml the same as get of one thing.
int describe(Client& client, const Named& what, Output output, std::int64_t unix_seconds);
int explain(Client& client, const v1::ExplainRequest& request, Output output);
int status(Client& client, Output output);
/// For a replica that refuses what its federation says.
int approve_shrink(Client& client);
/// Some of the queries that match, while they come, for so long.
int capture(Client& client, v1::CaptureRequest request, Duration length, Output output);

}  // namespace meshdns::ctl
