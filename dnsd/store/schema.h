#pragma once

#include <span>

#include "dnsd/store/database.h"

namespace meshdns::store {

/// Step n leads from schema n to n + 1; the first one makes an empty file a store. Steps are only ever added.
std::span<const char* const> schema_steps();

/// Which schema the file has, if it is a store that these steps can bring up to date.
/// errors: FailedPrecondition = newer than the steps, or no store at all; DataLoss = its header is damaged
Result<int> check_schema(Database& database, std::span<const char* const> steps);

/// Runs the steps that are missing, each of them whole or not at all.
Result<void> migrate(Database& database, int from, std::span<const char* const> steps);

}  // namespace meshdns::store
