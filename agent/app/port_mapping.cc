#include "agent/app/port_mapping.h"

#include <algorithm>
#include <utility>

#include "common/metrics/samples.h"
#include "common/model/limits.h"

namespace meshdns::agent::app {
namespace {

using mapping::Rule;
using mapping::Verdict;
using mapping::Wish;

/// Whether the verdict is about one of the addresses of this mapped port.
bool is_of(const Verdict& verdict, const std::string& endpoint, const model::MappedPort& port) {
  const Rule& rule = verdict.wish.rule;
  return verdict.wish.endpoint == endpoint && rule.from.port == port.number && rule.target == port.target &&
         mapping::protocol_name(rule.protocol) == port.protocol;
}

}  // namespace

PortMapping::PortMapping(Environment environment, const std::optional<std::string>& node)
    : env_(std::move(environment)) {
  if (node) mapper_.emplace(mapping::table_name(*node), env_.machine);
}

PortMapping::~PortMapping() {
  if (timer_) env_.timers.cancel(*timer_);
  if (mapper_) mapper_->stop();
}

void PortMapping::start() {
  if (!mapper_) return;
  mapper_->start();
  look_every_second();
}

void PortMapping::look_every_second() {
  timer_ = env_.timers.after(kPace, [this] {
    if (mapper_->set(wishes())) report_changes();  // the endpoints may have other addresses now
    look_every_second();
  });
}

void PortMapping::set(const std::vector<report::PortMapping>& wanted) {
  if (!mapper_) return;
  wanted_ = wanted;
  if (mapper_->set(wishes())) report_changes();
}

std::vector<Wish> PortMapping::wishes() const {
  std::vector<Wish> out;
  for (const report::PortMapping& mapping : wanted_) {
    const auto endpoint = env_.syncer.endpoints().find(mapping.endpoint);
    if (endpoint == env_.syncer.endpoints().end()) continue;
    const auto protocol = mapping.protocol == "UDP" ? Protocol::Udp : Protocol::Tcp;
    for (const IpAddress& address : model::first_of_each_family(endpoint->second.addresses)) {
      out.push_back({mapping.endpoint, {{address, mapping.number}, protocol, mapping.target}});
    }
  }
  return out;
}

model::MappedPorts PortMapping::mapped_of(const std::string& endpoint) const {
  model::MappedPorts out;
  if (!mapper_ || mapper_->verdicts().empty()) return out;
  for (const Verdict& verdict : mapper_->verdicts()) {
    if (verdict.wish.endpoint != endpoint || out.size() == model::kMostPorts) continue;
    const auto known =
        std::ranges::find_if(out, [&](const model::MappedPort& port) { return is_of(verdict, endpoint, port); });
    if (known == out.end()) {
      const Rule& rule = verdict.wish.rule;
      out.push_back({std::string(mapping::protocol_name(rule.protocol)), rule.from.port, rule.target, verdict.refused});
    } else if (known->problem.empty()) {
      known->problem = verdict.refused;  // mapped at all its addresses, or not mapped
    }
  }
  return out;
}

void PortMapping::put(const model::Endpoint& endpoint) {
  if (mapper_) {
    model::Endpoint told = endpoint;
    told.mapped = mapped_of(endpoint.key);
    env_.syncer.put(told, env_.clock.now());
  } else {
    env_.syncer.put(endpoint, env_.clock.now());
  }
  env_.changed();
}

void PortMapping::report_changes() {
  std::vector<model::Endpoint> changed;
  for (const auto& [key, endpoint] : env_.syncer.endpoints()) {
    model::MappedPorts mapped = mapped_of(key);
    if (endpoint.mapped.get() == mapped) continue;
    changed.push_back(endpoint);
    changed.back().mapped = std::move(mapped);
  }
  for (const model::Endpoint& endpoint : changed) env_.syncer.put(endpoint, env_.clock.now());
  if (!changed.empty()) env_.changed();
}

void PortMapping::write_status(v1::AgentStatus& out) const {
  if (!mapper_) return;
  v1::AgentPortMapping& status = *out.mutable_port_mapping();
  status.set_table("inet " + mapper_->table());
  status.set_problem(mapper_->problem());
  status.set_connections(mapper_->connections());
  if (!mapper_->problem().empty()) out.add_troubles("port mapping: " + mapper_->problem());
  for (const Verdict& verdict : mapper_->verdicts()) {
    v1::AgentMappedPort& port = *status.add_ports();
    port.set_endpoint(verdict.wish.endpoint);
    port.set_from(verdict.wish.rule.from.text());
    port.set_target(verdict.wish.rule.target);
    port.set_protocol(std::string(mapping::protocol_name(verdict.wish.rule.protocol)));
    port.set_refused(verdict.refused);
  }
}

void PortMapping::collect(std::vector<metrics::Sample>& out) const {
  if (!mapper_) return;
  const auto& verdicts = mapper_->verdicts();
  const auto mapped = std::ranges::count_if(verdicts, [](const Verdict& verdict) { return verdict.refused.empty(); });
  const auto refused = std::ssize(verdicts) - mapped;
  metrics::gauge(out, "meshdns_agent_port_mappings", "ports of addresses that the federation wants mapped",
                 {{"state", "mapped"}}, static_cast<double>(mapped));
  metrics::gauge(out, "meshdns_agent_port_mappings", "ports of addresses that the federation wants mapped",
                 {{"state", "refused"}}, static_cast<double>(refused));
  metrics::gauge(out, "meshdns_agent_port_mapping_failed", "1 while the nftables table cannot be written", {},
                 mapper_->problem().empty() ? 0.0 : 1.0);
  metrics::count(out, "meshdns_agent_mapped_connections_total", "connections that were redirected to another port", {},
                 mapper_->connections());
}

}  // namespace meshdns::agent::app
