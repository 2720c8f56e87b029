#include "agent/app/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "agent/app/check_text.h"
#include "agent/app/version.h"
#include "common/base/text.h"
#include "common/convert/report_convert.h"
#include "common/time/duration_text.h"

namespace meshdns::agent::app {
namespace {

using model::HealthState;

v1::AgentEndpoint endpoint_status(const model::Endpoint& endpoint, TimePoint now) {
  v1::AgentEndpoint out;
  out.set_key(endpoint.key);
  out.set_namespace_(endpoint.namespace_);
  out.set_service(endpoint.service);
  for (const auto& address : endpoint.addresses) out.add_addresses(address.text());
  out.set_state(std::string(model::health_state_name(endpoint.health.state)));
  out.set_why(why_text(endpoint.health));
  out.set_for_(age_text(now - endpoint.health.since));
  out.set_in_doubt(endpoint.health.in_doubt);
  return out;
}

}  // namespace

v1::AgentStatus status_of(const model::Node& node, const report::Syncer& syncer, TimePoint now) {
  v1::AgentStatus out;
  out.set_version(kVersion);
  out.set_node(node.locality.node);
  out.set_cluster(node.locality.cluster);
  *out.mutable_locality() = convert::to_wire(node).locality();
  for (const IpAddress& address : node.addresses) out.add_addresses(address.text());
  auto& federation = *out.mutable_federation();
  federation.set_state(std::string(syncer.state_name()));
  federation.set_epoch(syncer.epoch());
  federation.set_acked(syncer.acked());
  federation.set_unsent(syncer.unsent());
  for (const auto& [key, endpoint] : syncer.endpoints()) {
    auto& entry = *out.add_endpoints() = endpoint_status(endpoint, now);
    if (syncer.is_withheld(key))
      entry.set_refused("service: the federation is older and takes no endpoint without one");
    const auto refused = syncer.refused().find(key);
    if (refused != syncer.refused().end()) entry.set_refused(refused->second.field + ": " + refused->second.reason);
  }
  return out;
}

report::SourceState told_state(const discovery::StaticSource& source) {
  report::SourceState out{"static", source.listed(), ""};
  if (out.listed) return out;
  const std::filesystem::path directory(source.directory());
  const std::string name = (directory.has_filename() ? directory : directory.parent_path()).filename().string();
  const auto add = [&](std::string problem) {
    for (const std::string& prefix : {source.directory() + "/", source.directory() + ": ", source.directory()}) {
      if (!problem.starts_with(prefix)) continue;
      problem.erase(0, prefix.size());
      break;
    }
    out.error +=
        (out.error.empty() ? "" : "\n") + name + ": " + (problem.starts_with('/') ? problem.substr(1) : problem);
  };
  if (!source.error().empty()) add(source.error());
  for (const auto& file : source.files()) {
    if (file.listed) continue;
    for (const auto line : split(file.error, '\n')) add(std::string(line));
  }
  return out;
}

std::string unread_text(const discovery::StaticSource& source, const std::string& node) {
  if (source.listed()) return "";
  const std::string problems = told_state(source).error;
  const auto lines = split(problems, '\n');
  std::string out = node + " does not read " + std::string(lines.front());
  if (lines.size() > 1) out += " (and " + std::to_string(lines.size() - 1) + " more)";
  return out;
}

std::size_t unread_files(const discovery::StaticSource& source) {
  const auto& files = source.files();
  const auto wrong = std::ranges::count_if(files, [](const auto& file) { return !file.listed; });
  return static_cast<std::size_t>(wrong) + (source.error().empty() ? 0 : 1);
}

v1::AgentSource source_status(const report::SourceState& source) {
  v1::AgentSource out;
  out.set_name(source.name);
  out.set_listed(source.listed);
  out.set_error(source.error);
  return out;
}

v1::AgentCheck check_status(const CheckView& view, TimePoint now) {
  v1::AgentCheck out;
  out.set_endpoint(view.endpoint);
  out.set_kind(view.kind);
  out.set_address(view.address);
  if (view.last) {
    out.set_result(std::string(outcome_name(view.last->outcome)));
    out.set_detail(view.last->detail);
    out.set_latency(latency_text(view.latency));
    out.set_last_run(age_text(now - view.last_run));
  }
  if (!view.running && !view.waiting) out.set_next_run(age_text(std::max(view.next_run - now, Duration::zero())));
  return out;
}

v1::AgentDrain drain_status(const Drain& drain, std::size_t endpoints, TimePoint now) {
  v1::AgentDrain out;
  out.set_target(drain.target);
  out.set_reason(drain.reason);
  out.set_for_(age_text(now - drain.since));
  if (drain.until) out.set_left(age_text(std::max(*drain.until - now, Duration::zero())));
  out.set_endpoints(static_cast<std::uint32_t>(endpoints));
  return out;
}

v1::AgentRun run_status(const CheckView& view, const std::string& sent) {
  v1::AgentRun out;
  out.set_endpoint(view.endpoint);
  out.set_kind(view.kind);
  out.set_address(view.address);
  out.set_sent(sent);
  if (!view.last) return out;
  out.set_result(std::string(outcome_name(view.last->outcome)));
  out.set_detail(view.last->detail);
  out.set_latency(latency_text(view.latency));
  return out;
}

std::string why_text(const model::Health& health) {
  std::string out = health.detail;
  if (health.streak == 0) return out;
  const char* results = health.state == HealthState::Failing ? "successes" : "failures";
  return out + fmt::format("{}{} of {} {}", out.empty() ? "" : ", ", health.streak, health.needed, results);
}

std::string left_text(const std::string& node, std::size_t endpoints, const std::string& server) {
  return fmt::format("{} left the federation at {}: {} withdrawn", node, server, counted(endpoints, "endpoint"));
}

}  // namespace meshdns::agent::app
