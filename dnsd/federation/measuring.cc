#include "dnsd/federation/measuring.h"

#include <algorithm>
#include <utility>

#include "common/convert/report_convert.h"
#include "common/log/log.h"

namespace meshdns::federation {
namespace {

/// Returns the cluster in a node's key: "eu-1" of "eu-1/n1".
std::string cluster_of(const std::string& node) { return node.substr(0, node.find('/')); }

void log_gateways(const std::string& cluster, const model::ClusterStatus& before, const model::ClusterStatus& now) {
  for (const IpAddress& address : now.gateways_down) {
    if (!before.gateways_down.contains(address)) {
      log::warn("gateway down", {{"gateway", address.text()}, {"from", cluster}});
    }
  }
  for (const IpAddress& address : before.gateways_down) {
    if (!now.gateways_down.contains(address)) {
      log::info("gateway up", {{"gateway", address.text()}, {"from", cluster}});
    }
  }
}

}  // namespace

void Measuring::write_targets(const std::string& node, v1::Settings& out) const {
  const auto found = plan_.find(node);
  if (found == plan_.end()) return;
  for (const MeasuredTarget& target : found->second) {
    v1::Target& entry = *out.add_measure();
    entry.set_key(target.key);
    const auto bytes = target.address.ip.bytes();
    entry.mutable_address()->assign(bytes.begin(), bytes.end());
    entry.set_port(target.address.port);
    *entry.mutable_interval() = convert::to_wire(target.gateway ? kGatewayInterval : kEndpointInterval);
  }
}

const MeasuredTarget* Measuring::find(const std::string& node, const std::string& key) const {
  const auto targets = plan_.find(node);
  if (targets == plan_.end()) return nullptr;
  const auto found = std::ranges::find(targets->second, key, &MeasuredTarget::key);
  return found == targets->second.end() ? nullptr : &*found;
}

void Measuring::heard(const std::string& node, const v1::Measurements& measurements, TimePoint now) {
  for (const v1::ProbeResult& result : measurements.results()) {
    const MeasuredTarget* target = find(node, result.key());
    const bool found =
        result.outcome() != v1::ProbeResult::SKIPPED && result.outcome() != v1::ProbeResult::OUTCOME_UNSPECIFIED;
    if (target == nullptr || !found) continue;
    ++results_;
    Distances::Found what{result.outcome() == v1::ProbeResult::CONNECTED, std::nullopt};
    if (result.has_rtt()) what.rtt = convert::from_wire(result.rtt());
    distances_.heard(cluster_of(node), node, *target, what, now);
  }
}

std::uint64_t Measuring::generation() const {
  using enum catalog::RecordType;
  std::uint64_t out = 0;
  for (const auto type : {Node, NodeStatus, Endpoint, Cluster}) out = std::max(out, catalog_.generation_of(type));
  return out;
}

std::vector<std::string> Measuring::plan(const Connected& connected_now, TimePoint now) {
  const bool same = planned_at_ && planned_for_ == connected_now.version && planned_generation_ == generation();
  const Duration pace = kPace * (catalog_.records().nodes.size() / kPlannedPerSecond);
  if (same || (planned_at_ && now - *planned_at_ < pace)) return {};
  planned_at_ = now;
  planned_for_ = connected_now.version;
  planned_generation_ = generation();
  const std::set<std::string> connected = connected_now.nodes();
  const MeasurePlan before = std::exchange(plan_, plan_measurements(catalog_.records(), connected));
  const auto targets_in = [](const MeasurePlan& plan, const std::string& node) {
    const auto found = plan.find(node);
    return found == plan.end() ? std::vector<MeasuredTarget>{} : found->second;
  };
  std::vector<std::string> changed;
  for (const std::string& node : connected) {
    if (targets_in(before, node) != targets_in(plan_, node)) changed.push_back(node);
  }
  std::set<IpAddress> gateways;
  for (const auto& [name, cluster] : catalog_.records().clusters) {
    for (const model::Gateway& gateway : cluster.gateways) gateways.insert(gateway.address);
  }
  distances_.keep_gateways(gateways);
  return changed;
}

void Measuring::publish(TimePoint now) {
  auto statuses = distances_.settle(now);
  for (const auto& [cluster, status] : statuses) published_.insert(cluster);
  for (const std::string& cluster : published_) {
    const model::ClusterStatus* known = catalog_.latest_cluster_status(cluster);
    const model::ClusterStatus before = known == nullptr ? model::ClusterStatus{} : *known;
    const model::ClusterStatus& status = statuses[cluster];
    if (status == before) continue;
    log_gateways(cluster, before, status);
    catalog_.set_cluster_status(cluster, status, now);
  }
  std::erase_if(published_, [&](const std::string& cluster) { return statuses[cluster].empty(); });
}

std::vector<std::string> Measuring::sweep(const Connected& connected, TimePoint now) {
  if (!swept_) {
    for (const auto& [cluster, status] : catalog_.records().cluster_statuses) {
      distances_.restore(cluster, status, now);
      published_.insert(cluster);
    }
  }
  swept_ = now;
  auto changed = plan(connected, now);
  publish(now);
  return changed;
}

std::size_t Measuring::targets() const {
  std::size_t out = 0;
  for (const auto& [node, targets] : plan_) out += targets.size();
  return out;
}

}  // namespace meshdns::federation
