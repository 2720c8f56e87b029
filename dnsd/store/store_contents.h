#pragma once

#include <optional>

#include "dnsd/store/database.h"
#include "dnsd/store/store.h"

namespace meshdns::store {

/// Returns the content of an up-to-date file; `epoch` is the stored one.
Result<Contents> read_contents(Database& database);
/// Runs SQLite's quick_check.
/// errors: DataLoss with the finding
Result<void> check_pages(Database& database);
Result<void> write_epoch(Database& database, std::uint64_t epoch);
Result<void> write_written(Database& database, const Written& written);
/// Erases the note that objects were lost, because they are put again.
Result<void> erase_lost(Database& database);

/// The content of a new file.
struct Beginning {
  std::uint64_t epoch = 0;
  std::vector<StoredObject> objects;
  std::string lost;  // why objects are missing; the note of each opening until objects are put
};

/// Makes a store's file under another name and renames it when it is complete, so that no file is ever half a store.
Result<void> begin_file(const std::string& path, const Beginning& beginning);

/// The content of a damaged file that is provably complete: the epoch, and the objects, all of them or none.
struct Salvage {
  std::uint64_t epoch = 0;
  std::optional<std::vector<StoredObject>> objects;
};
Salvage salvage(const std::string& path);

}  // namespace meshdns::store
