#pragma once

#include <optional>

#include "dnsd/store/database.h"
#include "dnsd/store/store.h"

namespace meshdns::store {

// Reads and writes the rows of the store's tables. SQLite detects a page that is not a page, but not a changed byte in
// a value. So each row has a hash of itself, and `meta` holds the sum (XOR) of all objects' hashes, by which an object
// that vanished or became an older version is detected, too.

/// Returns a value of the table `meta`; nothing = there is none.
/// errors: DataLoss = the row is not what was written
Result<std::optional<std::string>> read_meta(Database& database, std::string_view name);
Result<void> write_meta(Database& database, std::string_view name, std::string_view value);
Result<void> erase_meta(Database& database, std::string_view name);

/// Returns all rows of a table, in the order of their keys.
/// errors: DataLoss = a row is not what was written
Result<std::vector<StoredObject>> read_objects(Database& database);
Result<std::vector<StoredRecord>> read_records(Database& database);

/// Begins the sum of the objects in a new file. Call it before the first object is written.
Result<void> begin_objects(Database& database);

/// Writes rows and the sum of the objects.
/// requires: an open transaction
Result<void> write_objects(Database& database, const std::vector<StoredObject>& put,
                           const std::vector<std::string>& erase);
Result<void> write_records(Database& database, const std::vector<StoredRecord>& put,
                           const std::vector<RecordKey>& erase);

}  // namespace meshdns::store
