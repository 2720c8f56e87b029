#include "dnsd/federation/leases.h"

#include <algorithm>

namespace meshdns::federation {

void Leases::heard(const std::string& node, TimePoint now) {
  Entry& entry = entries_[node];
  entry.heard = now;
  entry.forgiven = Duration::zero();
  entry.expected = false;
}

void Leases::expect(const std::string& node, TimePoint now) {
  heard(node, now);
  entries_[node].expected = true;
}

Duration Leases::heartbeat() const {
  const auto spread =
      std::chrono::duration_cast<Duration>(1s) * static_cast<std::int64_t>(entries_.size()) / kHeartbeatsPerSecond;
  return std::max<Duration>(1s, spread);
}

model::NodeStatus Leases::judge(const Entry& entry, TimePoint now) const {
  const Duration quiet = now - entry.heard - entry.forgiven;
  model::NodeStatus status;
  status.since = entry.heard;
  const bool grace = now - started_ < kGrace;
  status.silent = quiet >= std::max(lease(), kTolerance) && !grace;
  if (entry.expected && grace) return status;      // subscribers may know better, from before the start
  status.in_doubt = quiet >= 5 * heartbeat() / 2;  // two are missed, and the third is half late
  return status;
}

std::vector<Leases::Verdict> Leases::sweep(TimePoint now) {
  const Duration lag = std::max(Duration::zero(), now - swept_ - sweep_interval());
  swept_ = now;
  std::vector<Verdict> out;
  for (auto& [node, entry] : entries_) {
    entry.forgiven += lag;
    const model::NodeStatus status = judge(entry, now);
    const bool changed = status.silent != entry.status.silent || status.in_doubt != entry.status.in_doubt;
    if (!changed) continue;
    entry.status = status;
    out.push_back({node, status});
  }
  return out;
}

std::size_t Leases::silent() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const auto& entry) { return entry.second.status.silent; }));
}

}  // namespace meshdns::federation
