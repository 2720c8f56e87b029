#include "dnsd/catalog/change_log.h"

#include <algorithm>
#include <utility>

namespace meshdns::catalog {

void ChangeLog::note(RecordType type, const std::string& key, bool removed) {
  pending_types_[static_cast<std::size_t>(type)] = true;
  if (pending_.size() < length_) {
    pending_.push_back({0, type, key, removed});
  } else {
    pending_overflow_ = true;
  }
}

void ChangeLog::commit(TimePoint now) {
  if (!pending()) return;
  ++revision_;
  ++generation_;
  changed_ = now;
  for (std::size_t type = 0; type < kRecordTypes; ++type) {
    if (std::exchange(pending_types_[type], false)) touched_[type] = generation_;
  }
  for (Change& change : pending_) {
    change.revision = revision_;
    log_.push_back(std::move(change));
  }
  pending_.clear();
  if (std::exchange(pending_overflow_, false)) return forget(revision_);
  while (log_.size() > length_) {
    begins_after_ = log_.front().revision;
    log_.pop_front();
  }
}

void ChangeLog::continue_as(std::uint64_t revision) {
  if (revision <= revision_) forget(revision - 1);  // a new epoch: no delta leads from the old revisions
  revision_ = revision - 1;
}

void ChangeLog::forget(std::uint64_t up_to) {
  log_.clear();
  begins_after_ = up_to;
}

std::optional<std::vector<Change>> ChangeLog::since(std::uint64_t revision) const {
  if (revision < begins_after_ || revision > revision_) return std::nullopt;
  const auto begin = std::ranges::upper_bound(log_, revision, {}, &Change::revision);
  return std::vector<Change>(begin, log_.end());
}

}  // namespace meshdns::catalog
