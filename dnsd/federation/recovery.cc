#include "dnsd/federation/recovery.h"

namespace meshdns::federation {

bool Recovery::synced(const std::string& node, TimePoint now) {
  if (store_ != Store::Kept && synced_.insert(node).second) last_new_ = now;
  return provisional_.erase(node) > 0;
}

void Recovery::earlier_records_seen(TimePoint now) {
  if (store_ != Store::New) return;
  // an instance that has run for so long knows its agents: the subscriber comes from elsewhere
  if (now - last_new_ >= kQuiet) return;
  store_ = Store::Lost;
  settled_ = false;
}

void Recovery::approve() {
  settled_ = true;
  provisional_.clear();
}

void Recovery::look(TimePoint now) {
  if (settled_ || now - last_new_ < kQuiet) return;
  // whom nobody reports to knows nothing: silence is not death
  if (store_ == Store::Lost && synced_.empty()) return;
  approve();
}

}  // namespace meshdns::federation
