#include "agent/app/local_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/app/check_text.h"
#include "agent/app/status.h"
#include "common/base/hint.h"
#include "common/base/text.h"
#include "common/log/log.h"
#include "common/time/duration_text.h"

namespace meshdns::agent::app {
namespace {

using discovery::Discovered;
using health::Outcome;
using What = discovery::RegistrationChange::What;

std::string_view word_of(What what) {
  switch (what) {
    case What::Registered: return "registered";
    case What::Changed: return "changed";
    case What::Unchanged: return "unchanged";
    case What::Removed: break;
  }
  return "deregistered";
}

std::string_view word_of(admin::Said said) {
  if (said == admin::Said::Up) return "up";
  return said == admin::Said::Down ? "down" : "warn";
}

Outcome outcome_of(admin::Said said) {
  if (said == admin::Said::Up) return Outcome::Success;
  return said == admin::Said::Down ? Outcome::Failure : Outcome::Warning;
}

bool is_ttl(const discovery::CheckSpec& check) {
  if (std::holds_alternative<probes::TtlCheck>(check.what)) return true;
  const auto* group = std::get_if<probes::GroupCheck>(&check.what);
  return group != nullptr && std::ranges::any_of(group->parts, [](const auto& part) {
           return std::holds_alternative<probes::TtlCheck>(part);
         });
}

std::string service_of(const model::Endpoint& endpoint) { return endpoint.namespace_ + "/" + endpoint.service; }

v1::AgentChanges one_change(const std::string& target, std::string what, std::string warning) {
  v1::AgentChanges out;
  auto& change = *out.add_changes();
  change.set_target(target);
  change.set_what(std::move(what));
  out.set_warning(std::move(warning));
  return out;
}

/// Whether a check is one of a target.
bool is_of(const CheckView& view, const std::string& target) {
  return view.endpoint == target || view.namespace_ + "/" + view.service == target;
}

}  // namespace

Error LocalCommands::unknown(const std::string& target) const {
  std::vector<std::string> names;
  for (const auto& [key, endpoint] : parts_.syncer.endpoints()) {
    names.push_back(key);
    names.push_back(service_of(endpoint));
  }
  return {Code::NotFound, "no endpoint of this node is " + target + hint(did_you_mean(target, names))};
}

v1::AgentChanges LocalCommands::registered(const discovery::RegistrationChanges& changes) {
  v1::AgentChanges out;
  bool any = false;
  for (const auto& [key, what] : changes) {
    auto& change = *out.add_changes();
    change.set_target(key);
    change.set_what(std::string(word_of(what)));
    if (what == What::Unchanged) continue;
    any = true;
    log::info("registration", {{"key", key}, {"what", word_of(what)}});
  }
  if (any) parts_.listing_changed();
  return out;
}

Result<v1::AgentChanges> LocalCommands::register_endpoints(const std::string& text, const std::string& file) {
  const auto changes = parts_.local.sources.local().put(
      text, file, [this](const std::string& key) { return parts_.local.sources.owner_besides_local(key); });
  if (!changes) return changes.error();
  return registered(*changes);
}

Result<v1::AgentChanges> LocalCommands::deregister(const std::string& target) {
  const auto changes = parts_.local.sources.local().remove(
      target, [this](const std::string& other) { return parts_.local.sources.owner_besides_local(other); });
  if (!changes) return changes.error();
  return registered(*changes);
}

v1::AgentRegistration LocalCommands::row_of(const discovery::Registration& entry) const {
  v1::AgentRegistration out;
  out.set_problem(entry.problem);
  const auto slash = entry.line.service.find('/');
  if (slash != std::string::npos) {
    out.set_namespace_(entry.line.service.substr(0, slash));
    out.set_service(entry.line.service.substr(slash + 1));
  }
  if (!entry.found) return out;
  const model::Endpoint& endpoint = entry.found->endpoint;
  out.set_key(entry.found->key);
  for (const IpAddress& address : endpoint.addresses) out.add_addresses(address.text());
  for (const model::Port& port : endpoint.ports) {
    out.add_ports(fmt::format("{}{}{}/{}", port.name, port.name.empty() ? "" : " ", port.number, port.protocol));
  }
  const std::string other = parts_.local.sources.owner_besides_local(entry.found->key);
  if (!other.empty()) out.set_problem("the source " + other + " lists it already");
  const auto told = parts_.syncer.endpoints().find(entry.found->key);
  if (told == parts_.syncer.endpoints().end()) return out;
  out.set_state(std::string(model::health_state_name(told->second.health.state)));
  out.set_why(why_text(told->second.health));
  return out;
}

v1::AgentRegistrations LocalCommands::registrations() {
  v1::AgentRegistrations out;
  const auto& local = parts_.local.sources.local();
  for (const auto& entry : local.registrations()) *out.add_registrations() = row_of(entry);
  out.set_problem(local.problem());
  return out;
}

Result<std::string> LocalCommands::pushed(const std::string& target) const {
  std::vector<std::string> with_ttl;
  bool known = false;
  for (const Discovered& found : parts_.local.sources.endpoints()) {
    if (found.key != target && service_of(found.endpoint) != target) continue;
    known = true;
    if (std::ranges::any_of(found.checks, is_ttl)) with_ttl.push_back(found.key);
  }
  if (!known) return unknown(target);
  if (with_ttl.empty()) return Error(Code::FailedPrecondition, target + " has no ttl check, so a push has no effect");
  if (with_ttl.size() == 1) return with_ttl.front();
  return Error(Code::FailedPrecondition, target + " has several endpoints here; say which: " + join(with_ttl, ", "));
}

Result<v1::AgentChanges> LocalCommands::push(const std::string& target, admin::Said said, const std::string& detail) {
  const auto key = pushed(target);
  if (!key) return key.error();
  parts_.local.pushes.push(*key, outcome_of(said), detail);
  return one_change(*key, std::string(word_of(said)), parts_.local.pushes.trouble());
}

Result<v1::AgentChanges> LocalCommands::drain(const std::string& target, const std::string& reason,
                                              std::optional<Duration> length) {
  const auto warning = parts_.local.drains.drain(target, reason, length);
  if (!warning) return warning.error();
  const std::string end = length ? " for " + duration_text(*length) : " until undrain";
  return one_change(name_of(target), "drained" + end + ", " + counted(parts_.local.drains.covered(target), "endpoint"),
                    *warning);
}

Result<v1::AgentChanges> LocalCommands::undrain(const std::string& target) {
  const auto warning = parts_.local.drains.undrain(target);
  if (!warning) return warning.error();
  return one_change(name_of(target), "no longer drained, " + counted(parts_.local.drains.covered(target), "endpoint"),
                    *warning);
}

v1::AgentDrains LocalCommands::drains() {
  v1::AgentDrains out;
  for (const auto& [target, drain] : parts_.local.drains.drains()) {
    *out.add_drains() = drain_status(drain, parts_.local.drains.covered(target), parts_.clock.now());
  }
  return out;
}

void LocalCommands::check(const std::string& target, Runs done) {
  const auto views = parts_.monitor.checks();
  const auto found = std::ranges::find_if(views, [&](const CheckView& view) { return is_of(view, target); });
  if (found == views.end()) return done(unknown(target));
  parts_.monitor.run_now(found->namespace_, found->service,
                         [target, done = std::move(done)](const std::vector<CheckView>& ended) {
                           v1::AgentRuns out;
                           for (const CheckView& view : ended) {
                             if (is_of(view, target)) *out.add_runs() = run_status(view, sent_text(*view.what));
                           }
                           done(out);
                         });
}

}  // namespace meshdns::agent::app
