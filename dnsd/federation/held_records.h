#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dnsd/catalog/catalog.h"

namespace meshdns::federation {

/// Which records of an origin a mirror holds, and the hashes by which the two compare what they have.
///
/// How it works
/// The catalog holds what a record says; here are only 24 bytes of each record: its revision, the hash of its body, its
/// bucket, and the number of the last set that named it (a mark: what a set leaves out is what has another number).
/// Nearly all records of a large mesh are endpoints, so that their table borrows its keys from the catalog's map; the
/// keys of all other records are copies. Sums of hashes and counts are kept for each bucket as records come and go, so
/// that comparing with an origin, and judging how much a set would take away, needs no walk over the records.
class HeldRecords {
 public:
  using Key = std::pair<catalog::RecordType, std::string>;

  struct Record {
    std::uint64_t revision = 0;
    std::uint64_t hash = 0;  // convert::record_hash of key and body
    std::uint32_t set = 0;   // the set that named it last
    std::uint16_t bucket = 0;
  };
  struct Count {
    std::uint32_t records = 0;
    std::uint32_t endpoints = 0;
  };

  HeldRecords();

  /// Null = it is not held. Valid until the record is erased; only `set` and `revision` may be changed.
  Record* find(catalog::RecordType type, const std::string& key);
  const Record* find(catalog::RecordType type, const std::string& key) const;
  bool contains(const Key& key) const { return find(key.first, key.second) != nullptr; }
  /// key: of an endpoint: the one in the catalog's map, which must outlive the record here
  void put(catalog::RecordType type, const std::string& key, const Record& record);
  /// The bucket that a record is put into.
  static std::uint16_t bucket_of(catalog::RecordType type, const std::string& key);
  /// Before the catalog erases the endpoint. returns: false = it was not held
  bool erase(catalog::RecordType type, const std::string& key);

  bool empty() const { return total_.records == 0; }
  Count total() const { return total_; }
  Count in_bucket(std::uint32_t bucket) const { return counts_[bucket]; }
  /// The sum of the hashes of each bucket's records.
  const std::vector<std::uint64_t>& sums() const { return sums_; }

  /// Returns the keys, in order, of the records in the buckets that `covers` wants that the set `set` did not name.
  std::vector<Key> not_named(std::uint32_t set, const std::function<bool(std::uint16_t bucket)>& covers) const;
  /// All except endpoints, in order.
  const std::map<Key, Record>& others() const { return others_; }

 private:
  template <class Records>
  static auto find_in(Records& records, catalog::RecordType type, const std::string& key)
      -> decltype(&records.others_.begin()->second);
  void count(const Record& record, bool endpoint, int by);

  std::unordered_map<std::string_view, Record> endpoints_;
  std::map<Key, Record> others_;
  std::vector<std::uint64_t> sums_;
  std::vector<Count> counts_;
  Count total_;
};

}  // namespace meshdns::federation
