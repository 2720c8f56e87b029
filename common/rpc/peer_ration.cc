#include "common/rpc/peer_ration.h"

#include <functional>
#include <utility>

namespace meshdns::rpc {
namespace {

bool is_over(std::int64_t told, std::int64_t now) { return now < told || now - told >= PeerRation::kInterval; }

}  // namespace

std::optional<std::uint64_t> PeerRation::admit(const std::string& peer, const std::string& reason,
                                               std::int64_t unix_seconds) {
  const std::lock_guard lock(mutex_);
  Subjects& subjects = subjects_of(peer, unix_seconds);
  std::size_t key = std::hash<std::string>()(reason);
  if (!subjects.contains(key) && subjects.size() >= kMostOfAPeer) {
    std::erase_if(subjects, [&](const auto& entry) { return is_over(entry.second.told, unix_seconds); });
    if (subjects.size() >= kMostOfAPeer) key = 0;
  }
  // a reason that is new was never told: its time lies an interval back
  Subject& known = subjects.emplace(key, Subject{unix_seconds - kInterval, 0}).first->second;
  if (!is_over(known.told, unix_seconds)) {
    ++known.left_out;
    return std::nullopt;
  }
  known.told = unix_seconds;
  return std::exchange(known.left_out, 0);
}

PeerRation::Subjects& PeerRation::subjects_of(const std::string& peer, std::int64_t now) {
  if (!peers_.contains(peer) && peers_.size() >= kMostPeers) {
    std::erase_if(peers_, [now](const auto& entry) { return is_over(entry.second.told, now); });
  }
  if (!peers_.contains(peer) && peers_.size() >= kMostPeers) return others_;
  Peer& known = peers_[peer];
  known.told = now;
  return known.subjects;
}

}  // namespace meshdns::rpc
