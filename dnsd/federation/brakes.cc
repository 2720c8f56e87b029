#include "dnsd/federation/brakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/convert/report_convert.h"

namespace meshdns::federation {
namespace {

bool is_more(std::size_t part, std::size_t whole, std::size_t percent) { return part * 100 > whole * percent; }
bool is_at_least(std::size_t part, std::size_t whole, std::size_t percent) { return part * 100 >= whole * percent; }

/// Returns the largest number of `times` that lie within one `span`.
std::size_t most_within(std::vector<TimePoint> times, Duration span) {
  std::ranges::sort(times);
  std::size_t most = 0;
  std::size_t first = 0;
  for (std::size_t last = 0; last < times.size(); ++last) {
    while (times[last] - times[first] > span) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

/// Orders nodes by how long they have waited, longest first. Equal nodes (all that a start expected in vain) are in the
/// order of a hash, so that no service goes first.
bool is_before(const Brakes::Unheard* a, const Brakes::Unheard* b) {
  if (a->since != b->since) return a->since < b->since;
  const auto turn_of = [](const std::string& node) { return convert::record_hash(node, ""); };
  return std::pair(turn_of(a->node), std::string_view(a->node)) <
         std::pair(turn_of(b->node), std::string_view(b->node));
}

std::string reason_text(std::size_t unheard, std::size_t agents, const std::string& of) {
  return fmt::format("{} of {} agents{} silent", unheard, agents, of);
}

}  // namespace

bool SweepBudget::take(std::size_t endpoints, std::size_t registry, TimePoint now) {
  while (!spent_.empty() && now - spent_.front().at >= Brakes::kSweepWindow) {
    sum_ -= spent_.front().endpoints;
    spent_.pop_front();
  }
  if (endpoints == 0) return true;
  const bool few = spent_.size() + 1 < Brakes::kFewest;
  if (!few && is_more(sum_ + endpoints, registry, Brakes::kSweepPercent)) return false;
  spent_.push_back({now, endpoints});
  sum_ += endpoints;
  return true;
}

std::string Brakes::zone_text(const model::Locality& place) {
  if (place.zone.empty()) return "cluster " + place.cluster;
  return (place.network.empty() ? "" : place.network + "/") + (place.region.empty() ? "-" : place.region) + "/" +
         place.zone;
}

void Brakes::look(Latch& latch, bool too_many, bool still, TimePoint now) {
  if (!latch.closed) {
    latch.closed = too_many;
  } else if (still) {
    latch.over.reset();
  } else {
    if (!latch.over) latch.over = now;
    latch.closed = now - *latch.over < kSettle;
  }
}

void Brakes::look_at_zones(const ZoneGroups& zones, TimePoint now) {
  std::erase_if(zones_, [&](const auto& entry) {
    const auto found = zones.find(entry.first);
    return found == zones.end() || found->second.waiting == 0;
  });
  for (const auto& [zone, group] : zones) {
    if (group.waiting == 0) continue;
    const std::size_t unheard = group.unheard.size();
    const std::size_t at_once = most_within(group.unheard, kWindow);
    Latch& latch = zones_[zone];
    look(latch, at_once >= kFewest && is_more(at_once, group.agents, kZonePercent),
         unheard >= kFewest && is_more(unheard, group.agents, kZonePercent - kSlack), now);
    latch.waiting = group.waiting;
    latch.reason =
        reason_text(unheard, group.agents, " of " + zone) +
        (latch.over ? fmt::format(", opens within {}s", kSettle / 1s) : fmt::format(" within {}s", kWindow / 1s));
    if (!latch.closed) zones_.erase(zone);
  }
}

void Brakes::look_at_all(const Group& all, TimePoint now) {
  if (all.waiting == 0) {
    overall_ = {};
    return;
  }
  const std::size_t unheard = all.unheard.size();
  const bool enough = unheard >= kFewest;
  look(overall_, enough && is_at_least(unheard, all.agents, kOverallPercent),
       enough && is_at_least(unheard, all.agents, kOverallPercent - kSlack), now);
  overall_.waiting = all.waiting;
  overall_.reason =
      reason_text(unheard, all.agents, "") + (overall_.over ? fmt::format(", opens within {}s", kSettle / 1s) : "");
  if (!overall_.closed) overall_ = {};
}

Brakes::Groups Brakes::grouped(const Hearing& hearing, TimePoint now) {
  Groups out;
  for (const auto& [zone, agents] : hearing.heard) {
    out.zones[zone].agents += agents;
    out.all.agents += agents;
  }
  for (const Unheard& agent : hearing.unheard) {
    if (agent.demoted && now - agent.since > kWindow) continue;
    const bool waits = agent.silent && !agent.demoted;
    for (Group* group : {&out.zones[agent.zone], &out.all}) {
      ++group->agents;
      group->unheard.push_back(agent.since);
      group->waiting += waits ? 1 : 0;
    }
    if (waits) out.waiting.push_back(&agent);
  }
  std::ranges::sort(out.waiting, is_before);
  return out;
}

std::vector<Brakes::Verdict> Brakes::judge(const Hearing& hearing, TimePoint now) {
  const Groups groups = grouped(hearing, now);
  look_at_zones(groups.zones, now);
  look_at_all(groups.all, now);
  std::vector<Verdict> out;
  waiting_for_sweep_ = 0;
  for (const Unheard* agent : groups.waiting) {
    std::string held_by = holder(agent->zone);
    // no node overtakes another: otherwise a node with many endpoints could wait for ever
    const auto passes = [&] {
      return waiting_for_sweep_ == 0 && budget_.take(hearing.endpoints_of(agent->node), hearing.registry, now);
    };
    if (held_by.empty() && !passes()) {
      held_by = kSweep;
      ++waiting_for_sweep_;
      registry_ = hearing.registry;
    }
    out.push_back({agent->node, std::move(held_by)});
  }
  return out;
}

std::string Brakes::holder(const std::string& zone) const {
  if (overall_.closed) return kOverall;
  return zones_.contains(zone) ? kZone : "";
}

void Brakes::begin_deletions() {
  for (auto& [zone, latch] : zones_) latch.deletions = 0;
  overall_.deletions = 0;
  deletions_for_sweep_ = 0;
}

std::string Brakes::judge(const Deletion& deletion, TimePoint now) {
  if (overall_.closed) ++overall_.deletions;
  if (const auto zone = zones_.find(deletion.zone); zone != zones_.end()) ++zone->second.deletions;
  if (std::string held_by = holder(deletion.zone); !held_by.empty()) return held_by;
  if (budget_.take(deletion.endpoints, deletion.registry, now)) return "";
  ++deletions_for_sweep_;
  registry_ = deletion.registry;
  return kSweep;
}

std::vector<Brakes::Closed> Brakes::closed() const {
  std::vector<Closed> out;
  if (overall_.closed) out.push_back({kOverall, "all agents", overall_.reason, overall_.waiting + overall_.deletions});
  for (const auto& [zone, latch] : zones_) {
    out.push_back({kZone, zone, latch.reason, latch.waiting + latch.deletions});
  }
  if (const std::size_t held = waiting_for_sweep_ + deletions_for_sweep_; held > 0) {
    out.push_back(
        {kSweep, "the registry",
         fmt::format("at most {} of {} endpoints ({}%), or {} nodes, go within {}s", registry_ * kSweepPercent / 100,
                     registry_, kSweepPercent, kFewest - 1, kSweepWindow / 1s),
         held});
  }
  return out;
}

}  // namespace meshdns::federation
