#include "dnsd/federation/recovery.h"

namespace meshdns::federation {

bool Recovery::synced(const std::string& node, TimePoint now) {
  if (store_ != Store::Kept && synced_.insert(node).second) {
    // the wait for the first agent is not a part of kLongest: it would leave none of it for the others
    if (store_ == Store::Lost && !loss_.claimed && synced_.size() == 1) began_ = now;
    last_new_ = now;
  }
  return provisional_.erase(node) > 0;
}

void Recovery::earlier_records_seen(TimePoint now) {
  if (store_ != Store::New) return;
  // an instance that has run for so long knows its agents: the replica's records are of another instance
  if (now - last_new_ >= kQuiet || now - began_ >= kLongest) return;
  store_ = Store::Lost;
  loss_.claimed = true;
  began_ = now;
  settled_ = false;
}

void Recovery::approve() {
  settled_ = true;
  provisional_.clear();
}

bool Recovery::waits_for_first(TimePoint now) const {
  if (store_ != Store::Lost || !synced_.empty()) return false;
  // without any agent the federation knows nothing, and time alone must not turn unknown records into removed ones
  if (loss_.claimed) return now - began_ < kLongest;
  return !loss_.seeded || expects_agents_;
}

void Recovery::look(TimePoint now) {
  if (settled_ || waits_for_first(now)) return;
  if (now - last_new_ >= kQuiet || now - began_ >= kLongest) approve();
}

}  // namespace meshdns::federation
