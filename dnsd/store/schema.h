#pragma once

#include <span>

#include "dnsd/store/database.h"

namespace meshdns::store {

/// Returns the SQL that leads from schema n to schema n + 1, for each n; the first step makes an empty file a store.
/// Steps are only ever added, never changed.
std::span<const char* const> schema_steps();

/// Returns the schema of the file, if the file is a store that these steps can bring up to date.
/// errors: FailedPrecondition = newer than the steps, or no store at all; DataLoss = its header is damaged
Result<int> check_schema(Database& database, std::span<const char* const> steps);

/// Runs the missing steps, each in a transaction of its own.
Result<void> migrate(Database& database, int from, std::span<const char* const> steps);

}  // namespace meshdns::store
