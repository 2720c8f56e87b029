#pragma once

#include <optional>

#include "dnsd/store/database.h"
#include "dnsd/store/store.h"

namespace meshdns::store {

/// The whole of an up-to-date file; `epoch` is the stored one.
Result<Contents> read_contents(Database& database);
/// quick_check. errors: DataLoss with what it says
Result<void> check_pages(Database& database);
Result<void> write_epoch(Database& database, std::uint64_t epoch);
Result<void> write_written(Database& database, const Written& written);
/// The objects that were lost are given again.
Result<void> erase_lost(Database& database);

/// What a new file begins with.
struct Beginning {
  std::uint64_t epoch = 0;
  std::vector<StoredObject> objects;
  std::string lost;  // why objects are missing in it; told at each opening until objects are put
};

/// Makes the file under another name and gives it its own when it is complete, so that a file is never half a store.
Result<void> begin_file(const std::string& path, const Beginning& beginning);

/// What can be proved whole in a damaged file: the epoch, and the objects, all of them or nothing.
struct Salvage {
  std::uint64_t epoch = 0;
  std::optional<std::vector<StoredObject>> objects;
};
Salvage salvage(const std::string& path);

}  // namespace meshdns::store
