#include "common/rpc/peer_ration.h"

#include <utility>

namespace meshdns::rpc {
namespace {

bool is_over(std::int64_t told, std::int64_t now) { return now < told || now - told >= PeerRation::kInterval; }

}  // namespace

std::optional<std::uint64_t> PeerRation::admit(const std::string& about, std::int64_t unix_seconds) {
  const std::lock_guard lock(mutex_);
  Subject& known = subject(about, unix_seconds);
  if (!is_over(known.told, unix_seconds)) {
    ++known.left_out;
    return std::nullopt;
  }
  known.told = unix_seconds;
  return std::exchange(known.left_out, 0);
}

PeerRation::Subject& PeerRation::subject(const std::string& about, std::int64_t now) {
  const auto known = subjects_.find(about);
  if (known != subjects_.end()) return known->second;
  if (subjects_.size() >= kMostSubjects) {
    std::erase_if(subjects_, [now](const auto& entry) { return is_over(entry.second.told, now); });
  }
  // a subject that is new was never told: its time lies an interval back
  if (subjects_.size() < kMostSubjects) return subjects_.emplace(about, Subject{now - kInterval, 0}).first->second;
  return others_;
}

}  // namespace meshdns::rpc
