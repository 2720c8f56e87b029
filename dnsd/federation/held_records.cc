#include "dnsd/federation/held_records.h"

#include <algorithm>

#include "common/convert/record_convert.h"
#include "dnsd/federation/feed.h"

namespace meshdns::federation {

using catalog::RecordType;

HeldRecords::HeldRecords() : sums_(Feed::kBuckets), counts_(Feed::kBuckets) {
  static_assert(Feed::kBuckets <= 65536, "a bucket's number has 16 bits");
}

std::uint16_t HeldRecords::bucket_of(RecordType type, const std::string& key) {
  return static_cast<std::uint16_t>(convert::bucket_of(record_type_name(type), key, Feed::kBuckets));
}

template <class Records>
auto HeldRecords::find_in(Records& records, RecordType type, const std::string& key)
    -> decltype(&records.others_.begin()->second) {
  if (type == RecordType::Endpoint) {
    const auto found = records.endpoints_.find(key);
    return found == records.endpoints_.end() ? nullptr : &found->second;
  }
  const auto found = records.others_.find({type, key});
  return found == records.others_.end() ? nullptr : &found->second;
}

const HeldRecords::Record* HeldRecords::find(RecordType type, const std::string& key) const {
  return find_in(*this, type, key);
}

HeldRecords::Record* HeldRecords::find(RecordType type, const std::string& key) { return find_in(*this, type, key); }

void HeldRecords::count(const Record& record, bool endpoint, int by) {
  const auto step = static_cast<std::uint32_t>(by);
  for (Count* counted : {&total_, &counts_[record.bucket]}) {
    counted->records += step;
    if (endpoint) counted->endpoints += step;
  }
  sums_[record.bucket] += by > 0 ? record.hash : ~record.hash + 1;
}

void HeldRecords::put(RecordType type, const std::string& key, const Record& record) {
  const bool endpoint = type == RecordType::Endpoint;
  if (Record* held = find(type, key)) {
    count(*held, endpoint, -1);
    *held = record;
  } else if (endpoint) {
    endpoints_.emplace(key, record);
  } else {
    others_.emplace(Key{type, key}, record);
  }
  count(record, endpoint, 1);
}

bool HeldRecords::erase(RecordType type, const std::string& key) {
  const Record* held = find(type, key);
  if (held == nullptr) return false;
  count(*held, type == RecordType::Endpoint, -1);
  if (type == RecordType::Endpoint) {
    endpoints_.erase(key);
  } else {
    others_.erase({type, key});
  }
  return true;
}

std::vector<HeldRecords::Key> HeldRecords::not_named(std::uint32_t set,
                                                     const std::function<bool(std::uint16_t)>& covers) const {
  std::vector<Key> out;
  for (const auto& [key, record] : endpoints_) {
    if (record.set != set && covers(record.bucket)) out.emplace_back(RecordType::Endpoint, key);
  }
  for (const auto& [key, record] : others_) {
    if (record.set != set && covers(record.bucket)) out.push_back(key);
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace meshdns::federation
