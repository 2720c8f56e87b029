#include "dnsd/store/memory_store.h"

#include <algorithm>

namespace meshdns::store {
namespace {

const Error kNotOpen{Code::FailedPrecondition, "the store is not open"};

}  // namespace

Result<Contents> MemoryStore::open(std::int64_t unix_seconds) {
  epoch_ = std::max(epoch_, static_cast<std::uint64_t>(std::max<std::int64_t>(unix_seconds, 0))) + 1;
  Contents contents;
  contents.epoch = epoch_;
  for (const auto& [key, object] : objects_) contents.objects.push_back(object);
  for (const auto& [key, record] : records_) contents.records.push_back(record);
  return contents;
}

Result<void> MemoryStore::put_objects(const std::vector<StoredObject>& put, const std::vector<std::string>& erase) {
  if (epoch_ == 0) return kNotOpen;
  for (const std::string& key : erase) objects_.erase(key);
  for (const StoredObject& object : put) objects_.insert_or_assign(object.key, object);
  return {};
}

Result<void> MemoryStore::put_records(const std::vector<StoredRecord>& put, const std::vector<RecordKey>& erase) {
  if (epoch_ == 0) return kNotOpen;
  for (const RecordKey& key : erase) records_.erase(key);
  for (const StoredRecord& record : put) records_.insert_or_assign(RecordKey{record.type, record.key}, record);
  return {};
}

}  // namespace meshdns::store
