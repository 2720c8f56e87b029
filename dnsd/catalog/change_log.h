#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "common/time/time.h"
#include "dnsd/catalog/record_kinds.h"

namespace meshdns::catalog {

/// A record that changed or was removed at a revision.
struct Change {
  std::uint64_t revision = 0;
  RecordType type{};
  std::string key;
  bool removed = false;

  friend bool operator==(const Change&, const Change&) = default;
};

/// Counts revisions, and remembers which records changed at which one. Used by Catalog. Pure.
///
/// How it works: note() collects the changes of the next revision, and commit() gives all of them its number. The log
/// holds the last changes, whole revisions only. A revision with more changes than the log can hold is not remembered:
/// then no delta leads over it, and the log begins anew after it.
class ChangeLog {
 public:
  /// length: the number of changes that since() can return
  explicit ChangeLog(std::size_t length) : length_(length) {}

  /// Notes a change, which belongs to the next revision.
  void note(RecordType type, const std::string& key, bool removed);
  /// Returns whether a change was noted since the last commit().
  bool pending() const { return !pending_.empty() || pending_overflow_; }
  /// Makes the noted changes one revision. Does nothing if there are none.
  void commit(TimePoint now);
  /// Gives the next revision this number, which another origin has chosen. If the number does not follow on the present
  /// one, no delta leads from the revisions so far.
  void continue_as(std::uint64_t revision);

  std::uint64_t revision() const { return revision_; }
  /// Counts every revision and never goes back, while the revision may begin anew with continue_as().
  std::uint64_t generation() const { return generation_; }
  /// The generation in which a record of this type changed last; 0 = never.
  std::uint64_t generation_of(RecordType type) const { return touched_[static_cast<std::size_t>(type)]; }
  /// Returns when the last revision was made.
  TimePoint changed() const { return changed_; }
  /// Returns the changes after `revision`, oldest first. Nothing if the log does not reach back to it. Costs by the
  /// number of changes returned.
  std::optional<std::vector<Change>> since(std::uint64_t revision) const;

 private:
  void forget(std::uint64_t up_to);

  std::size_t length_;
  std::uint64_t revision_ = 0;
  std::uint64_t generation_ = 0;
  TimePoint changed_{};
  std::array<std::uint64_t, kRecordTypes> touched_{};  // generation_of() by type
  std::vector<Change> pending_;                        // changes of the next revision, up to the log's length
  bool pending_overflow_ = false;                      // pending_ lacks some changes
  std::array<bool, kRecordTypes> pending_types_{};
  std::deque<Change> log_;
  std::uint64_t begins_after_ = 0;
};

}  // namespace meshdns::catalog
