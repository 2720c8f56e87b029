#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dnsd/catalog/catalog.h"

namespace meshdns::persistence {

/// Which records of a catalog are yet to be written, by name; their content is read when they are written.
///
/// How it works: names of changed records gather in a set. A round takes the whole set over and gives its names out in
/// their order, as neighbours share pages of the store. What changes meanwhile waits for the next round: a record that
/// changes all the time is written once a round, and none is passed over. A round of everything walks the catalog by
/// name instead of by iterator, so that records may come and go between two steps: those that do are changed ones.
class UnwrittenRecords {
 public:
  using Name = std::pair<catalog::RecordType, std::string>;

  void changed(catalog::RecordType type, const std::string& key) { changed_.emplace(type, key); }
  /// All records of the catalog are to be written, whatever was written before.
  void everything() { walk_.emplace(); }

  /// Nothing is left, neither of this round nor for the next one.
  bool empty() const { return round_over() && changed_.empty(); }
  bool round_over() const { return !walk_ && round_.empty(); }
  /// requires: round_over()
  void begin_round() { round_.swap(changed_); }

  /// The next names of the round, at most `most`; empty only when the round is over.
  std::vector<Name> next(const model::Records& records, std::size_t most);

 private:
  /// How far a walk through all records has come.
  struct Walk {
    std::size_t kind = 0;             // the number of its type
    std::optional<std::string> last;  // the key that was given last; nothing = none of this type yet
  };

  /// Goes one key further.
  /// returns: nothing = the type has no more
  static std::optional<std::string> step(const model::Records& records, catalog::RecordType type,
                                         const std::optional<std::string>& last);
  void walk(const model::Records& records, std::size_t most, std::vector<Name>& names);

  std::set<Name> changed_;
  std::set<Name> round_;
  std::optional<Walk> walk_;
};

}  // namespace meshdns::persistence
