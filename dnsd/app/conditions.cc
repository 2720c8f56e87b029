#include "dnsd/app/conditions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/model/host_name.h"
#include "common/model/override.h"

namespace meshdns::dnsd::app {
namespace {

constexpr std::size_t kMostFindings = 4;  // of lint, in one message

void add(v1::Object& object, const char* type, bool is, const std::string& reason, const std::string& message) {
  v1::Condition& condition = *object.mutable_status()->add_conditions();
  condition.set_type(type);
  condition.set_status(is ? "True" : "False");
  condition.set_reason(reason);
  condition.set_message(message);
}

/// Returns the key without the kind: "shop/app-b" of "VirtualDestination/shop/app-b".
std::string name_of(const v1::Object& object) {
  const std::string key = convert::object_key(object);
  return key.substr(key.find('/') + 1);
}

}  // namespace

Conditions::Conditions(const catalog::Catalog& catalog, publish::Publisher& publisher, const RecordCounts& counts,
                       std::shared_ptr<topology::KnownNames> names, TimePoint now)
    : catalog_(catalog),
      publisher_(publisher),
      counts_(counts),
      linter_(catalog.records(), publisher.planner(), publisher.settings(), std::move(names), now) {
  linter_.set_host_rights(catalog.host_rights());
  for (const topology::Conflict& conflict : publisher_.conflicts()) {
    conflicts_[conflict.object].push_back(conflict.message);
  }
}

void Conditions::write(v1::Object& object) const {
  object.clear_status();
  const v1::Metadata& metadata = object.metadata();
  add(object, "Accepted", true, "Valid",
      "revision " + std::to_string(metadata.revision()) + " by " +
          (metadata.manager().empty() ? "nobody known" : metadata.manager()));
  const Said served = programmed(object);
  add(object, "Programmed", served.is, served.reason, served.message);
  const Said worse = degraded(object);
  add(object, "Degraded", worse.is, worse.reason, worse.message);
}

Conditions::Said Conditions::programmed(const v1::Object& object) const {
  const std::string name = name_of(object);
  if (object.has_override()) {
    const bool freeze = object.override().action() == model::action_name(model::Action::Freeze);
    return {true, "InForce", freeze ? "nothing that agents tell becomes true" : "endpoints stand as it says"};
  }
  if (object.has_cluster()) {
    return {true, "InForce", counted(counts_.nodes_of(name), "node")};
  }
  if (const auto problems = conflicts_.find(name); problems != conflicts_.end()) {
    return {false, "HostNotServed", join(problems->second, "; ")};
  }
  const auto& hosts = object.virtual_destination().hosts();
  return {true, "Served", join({hosts.begin(), hosts.end()}, ", ")};
}

Conditions::Said Conditions::degraded(const v1::Object& object) const {
  if (object.has_virtual_destination()) return degraded_destination(object);
  if (object.has_cluster()) {
    if (auto down = gateways_down(name_of(object)); !down.empty()) return {true, "GatewaysDown", std::move(down)};
  }
  return linted(object, "nothing is wrong");
}

Conditions::Said Conditions::degraded_destination(const v1::Object& object) const {
  const std::string name = name_of(object);
  std::vector<std::string> dead;
  std::string state = "no host is served";
  for (const std::string& written : object.virtual_destination().hosts()) {
    const auto host = publisher_.plan(model::host_key(written));
    if (!host || host->object != name) continue;
    const auto serving = static_cast<std::size_t>(
        std::ranges::count(host->candidates, topology::Standing::Serving, &topology::Candidate::standing));
    state = std::to_string(serving) + " of " + counted(host->candidates.size(), "endpoint") + " serving";
    if (serving == 0) dead.push_back(host->name);
  }
  if (!dead.empty()) return {true, "NothingServes", "nothing serves of " + join(dead, ", ")};
  return linted(object, state);
}

std::string Conditions::gateways_down(const std::string& cluster) const {
  const auto own = catalog_.records().clusters.find(cluster);
  if (own == catalog_.records().clusters.end()) return "";
  std::vector<std::string> out;
  for (const auto& [from, status] : catalog_.records().cluster_statuses) {
    for (const model::Gateway& gateway : own->second.gateways) {
      if (!status.gateways_down.contains(gateway.address)) continue;
      out.push_back(gateway.address.text() + " cannot be reached from " + from);
    }
  }
  return join(out, "; ");
}

Conditions::Said Conditions::linted(const v1::Object& object, const std::string& otherwise) const {
  const auto findings = linter_.look(object);
  if (findings.empty()) return {false, "AsExpected", otherwise};
  std::vector<std::string> texts;
  for (const v1::Finding& finding : findings) {
    if (texts.size() == kMostFindings) break;
    texts.push_back((finding.path().empty() ? "" : finding.path() + ": ") + finding.message());
  }
  if (findings.size() > texts.size())
    texts.push_back("and " + std::to_string(findings.size() - texts.size()) + " more");
  const bool is = findings.front().severity() != v1::Finding::ADVICE;  // the first finding is the worst one
  return {is, is ? "Suspicious" : "Advice", join(texts, "; ")};
}

}  // namespace meshdns::dnsd::app
