#pragma once

#include <optional>

#include "dnsd/store/database.h"
#include "dnsd/store/store.h"

namespace meshdns::store {

// SQLite sees when a page is no page any more, but not when a byte of a value is different. So each row has a hash of
// itself, and `meta` the sum of the objects' hashes: a row that vanished or became an older one is seen, too.

/// Nothing = not there. errors: DataLoss = not what was written
Result<std::optional<std::string>> read_meta(Database& database, std::string_view name);
Result<void> write_meta(Database& database, std::string_view name, std::string_view value);
Result<void> erase_meta(Database& database, std::string_view name);

/// errors: DataLoss = not what was written
Result<std::vector<StoredObject>> read_objects(Database& database);
Result<std::vector<StoredRecord>> read_records(Database& database);

/// In a new file, before the first object.
Result<void> begin_objects(Database& database);

/// Inside a transaction.
Result<void> write_objects(Database& database, const std::vector<StoredObject>& put,
                           const std::vector<std::string>& erase);
Result<void> write_records(Database& database, const std::vector<StoredRecord>& put,
                           const std::vector<RecordKey>& erase);

}  // namespace meshdns::store
