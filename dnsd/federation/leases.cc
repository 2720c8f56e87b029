#include "dnsd/federation/leases.h"

#include <algorithm>
#include <cmath>

namespace meshdns::federation {

void Leases::heard(const std::string& node, TimePoint now) {
  const auto [at, added] = entries_.try_emplace(node);
  Entry& entry = at->second;
  if (added) entry.told = entry.told_next = heartbeat();
  entry.heard = now;
  entry.forgiven_before = forgiven_;
  entry.told = entry.told_next;
  entry.expected = false;
  if (entry.status.silent || entry.status.in_doubt) {
    queue(*at, now);  // the next sweep takes the status back
  } else if (!entry.queued || entry.due > now + doubtful_after(entry)) {
    queue_next(*at, now);  // queued too late: the agent was told a shorter interval meanwhile
  }
}

void Leases::expect(const std::string& node, TimePoint now) {
  heard(node, now);
  entries_.at(node).expected = true;
}

void Leases::forget(const std::string& node) {
  const auto found = entries_.find(node);
  if (found == entries_.end()) return;
  unqueue(*found);
  if (found->second.status.silent) --silent_;
  entries_.erase(found);
}

void Leases::queue(Entries::value_type& entry, TimePoint due) {
  unqueue(entry);
  entry.second.queued = true;
  entry.second.due = due;
  queue_.emplace(due, &entry);
}

void Leases::unqueue(Entries::value_type& entry) {
  if (entry.second.queued) queue_.erase({entry.second.due, &entry});
  entry.second.queued = false;
}

void Leases::queue_next(Entries::value_type& entry, TimePoint now) {
  const Entry& at = entry.second;
  const TimePoint heard = heard_at(at);
  const TimePoint grace_ends = started_ + kGrace;
  const bool grace = now < grace_ends;
  if (!at.status.in_doubt) {
    const TimePoint doubtful = heard + doubtful_after(at);
    queue(entry, at.expected && grace ? std::max(doubtful, grace_ends) : doubtful);
  } else if (!at.status.silent) {
    const TimePoint silent = heard + silent_after(at);
    queue(entry, grace ? std::max(silent, grace_ends) : silent);
  }
}

Duration Leases::heartbeat() const {
  const auto spread =
      std::chrono::duration_cast<Duration>(1s) * static_cast<std::int64_t>(entries_.size()) / kHeartbeatsPerSecond;
  const auto usual = std::max<Duration>(1s, spread);
  return Duration(std::llround(static_cast<double>(usual.count()) * stretch_));
}

bool Leases::must_tell(const std::string& node) const {
  const auto found = entries_.find(node);
  if (found == entries_.end()) return false;
  const Duration told = found->second.told_next;
  const Duration now = heartbeat();
  return 4 * (now > told ? now - told : told - now) >= told;
}

void Leases::told(const std::string& node) {
  const auto found = entries_.find(node);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.told_next = heartbeat();
  entry.told = std::max(entry.told, entry.told_next);
}

Duration Leases::lease_left(const std::string& node, TimePoint now) const {
  const auto found = entries_.find(node);
  if (found == entries_.end()) return Duration::zero();
  return std::max(Duration::zero(), silent_after(found->second) - (now - heard_at(found->second)));
}

model::NodeStatus Leases::judge(const Entry& entry, TimePoint now) const {
  const Duration quiet = now - heard_at(entry);
  model::NodeStatus status;
  status.since = entry.heard;
  const bool grace = now - started_ < kGrace;
  status.silent = quiet >= silent_after(entry) && !grace;
  if (entry.expected && grace) return status;  // in doubt would overwrite what replicas know from before the start
  status.in_doubt = quiet >= doubtful_after(entry);
  return status;
}

std::vector<Leases::Verdict> Leases::sweep(TimePoint now) {
  const bool first = swept_ == started_;  // a slow start does not show a busy thread
  const Duration late = std::max(Duration::zero(), now - swept_ - sweep_interval());
  lag_ = first ? Duration::zero() : late;
  forgiven_ += late;
  swept_ = now;
  std::vector<Verdict> out;
  while (!queue_.empty() && queue_.begin()->first <= now) {
    Entries::value_type& at = *queue_.begin()->second;
    ++steps_;
    unqueue(at);
    Entry& entry = at.second;
    const model::NodeStatus status = judge(entry, now);
    if (status.silent != entry.status.silent || status.in_doubt != entry.status.in_doubt) {
      silent_ = silent_ - (entry.status.silent ? 1 : 0) + (status.silent ? 1 : 0);
      entry.status = status;
      out.push_back({at.first, status});
    }
    queue_next(at, now);
    // the next moment may have come already (grace and lease end together): this loop judges it, too
  }
  std::ranges::sort(out, {}, &Verdict::node);
  return out;
}

}  // namespace meshdns::federation
