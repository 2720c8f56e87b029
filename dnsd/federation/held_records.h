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

/// The index of the records that a mirror holds of its origin, with the hashes by which both compare their records.
/// Used by Mirror only. The records themselves are in the catalog.
///
/// How it works
/// The index keeps 24 bytes per record: its revision, the hash of its body, its bucket, and the number of the last set
/// that named it. A record that the current set leaves out is a record with another number. Nearly all records of a
/// large mesh are endpoints, so their table borrows the keys from the catalog's map; the keys of all other records are
/// copies. Each bucket's sum of hashes and counts are updated whenever a record comes or goes, so comparing with the
/// origin, and judging how much a set would remove, need no walk over the records.
///
///   endpoints_  "eu-1/n1/a" (borrowed) -> {revision, hash, set, bucket}      sums_[bucket]    hash sum
///   others_     {Node, "eu-1/n1"}      -> {revision, hash, set, bucket}      counts_[bucket]  records, endpoints
class HeldRecords {
 public:
  using Key = std::pair<catalog::RecordType, std::string>;

  struct Record {
    std::uint64_t revision = 0;
    std::uint64_t hash = 0;  // convert::record_hash of key and body
    std::uint32_t set = 0;   // number of the last set that named the record
    std::uint16_t bucket = 0;
  };
  struct Count {
    std::uint32_t records = 0;
    std::uint32_t endpoints = 0;
  };

  HeldRecords();

  /// Returns the record's entry; null = not held. The pointer is valid until the record is erased. The caller may
  /// change only `set` and `revision`, because sums and counts follow from the other members.
  Record* find(catalog::RecordType type, const std::string& key);
  const Record* find(catalog::RecordType type, const std::string& key) const;
  bool contains(const Key& key) const { return find(key.first, key.second) != nullptr; }
  /// Adds or replaces an entry.
  /// key: for an endpoint, the key in the catalog's map itself, which must outlive the entry
  void put(catalog::RecordType type, const std::string& key, const Record& record);
  /// Returns the number of the record's bucket.
  static std::uint16_t bucket_of(catalog::RecordType type, const std::string& key);
  /// Erases an entry. Call it before the catalog erases the endpoint, whose key the entry borrows.
  /// returns: false = the record was not held
  bool erase(catalog::RecordType type, const std::string& key);

  bool empty() const { return total_.records == 0; }
  Count total() const { return total_; }
  Count in_bucket(std::uint32_t bucket) const { return counts_[bucket]; }
  /// The sum of the hashes of each bucket's records.
  const std::vector<std::uint64_t>& sums() const { return sums_; }

  /// Returns the keys, in order, of the records that the set `set` did not name, in the buckets for which `covers`
  /// returns true.
  std::vector<Key> not_named(std::uint32_t set, const std::function<bool(std::uint16_t bucket)>& covers) const;
  /// All held records except endpoints, in the order of their keys.
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
