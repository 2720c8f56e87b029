#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dnsd/catalog/catalog.h"

namespace meshdns::persistence {

/// Keeps the names of the records of a catalog that are not written yet. Their content is read when they are written.
///
/// How it works: the names of changed records gather in a set. A round takes the whole set over and hands its names out
/// in sorted order, because neighbours share pages of the store. Changes during a round wait for the next one: a record
/// that changes all the time is written once a round, and no other record has to wait for it. A round of everything
/// walks the catalog by key instead of by iterator, so that records may come and go between two steps; such records are
/// reported by changed().
class UnwrittenRecords {
 public:
  using Name = std::pair<catalog::RecordType, std::string>;

  void changed(catalog::RecordType type, const std::string& key) { changed_.emplace(type, key); }
  /// Adds all records of the catalog to the round, from the first one on.
  void everything() { walk_ = Walk{}; }

  /// Whether no name is left, neither in this round nor for the next one.
  bool empty() const { return round_over() && changed_.empty(); }
  bool round_over() const { return !walk_ && round_.empty(); }
  /// Begins a round with all names that have gathered.
  /// requires: round_over()
  void begin_round() { round_.swap(changed_); }

  /// Returns the next names of the round, at most `most`; empty only when the round is over.
  std::vector<Name> next(const model::Records& records, std::size_t most);

 private:
  /// The position of a walk through all records.
  struct Walk {
    std::size_t kind = 0;             // the index of the record type
    std::optional<std::string> last;  // the key that was handed out last; nothing = none of this type yet
  };

  /// Returns the key that follows `last`; nothing = the type has no more keys.
  static std::optional<std::string> step(const model::Records& records, catalog::RecordType type,
                                         const std::optional<std::string>& last);
  void walk(const model::Records& records, std::size_t most, std::vector<Name>& names);

  std::set<Name> changed_;
  std::set<Name> round_;
  std::optional<Walk> walk_;
};

}  // namespace meshdns::persistence
