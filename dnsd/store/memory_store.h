#pragma once

#include <map>

#include "dnsd/store/store.h"

namespace meshdns::store {

/// A store that keeps everything in memory and loses it with the process: for `store: {memory: {}}` and tests.
class MemoryStore : public Store {
 public:
  Result<Contents> open(std::int64_t unix_seconds) override;
  Result<void> put_objects(const std::vector<StoredObject>& put, const std::vector<std::string>& erase) override;
  Result<void> put_records(const std::vector<StoredRecord>& put, const std::vector<RecordKey>& erase) override;

 private:
  std::uint64_t epoch_ = 0;
  std::map<std::string, StoredObject> objects_;
  std::map<RecordKey, StoredRecord> records_;
};

}  // namespace meshdns::store
