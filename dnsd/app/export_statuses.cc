#include "dnsd/app/export_statuses.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "common/metrics/registry.h"

namespace meshdns::dnsd::app {
namespace {

using kubernetes::ObjectName;
using resources::Condition;
using Exported = kubernetes::ServiceDirectory::Exported;

Condition condition(const char* type, bool is_true, const char* reason, std::string message) {
  return {
      .type = type, .status = is_true ? "True" : "False", .reason = reason, .message = std::move(message), .since = {}};
}

Condition valid(Exported service, const ObjectName& name) {
  switch (service) {
    case Exported::NoService: return condition("Valid", false, "NoService", "there is no Service " + name.text());
    case Exported::ExternalName:
      return condition("Valid", false, "InvalidServiceType", "a Service of type ExternalName has no endpoints");
    case Exported::Service: break;
  }
  return condition("Valid", true, "Valid", "");
}

Condition ready(Exported service, const std::string& cluster) {
  switch (service) {
    case Exported::NoService: return condition("Ready", false, "Pending", "it waits for the Service");
    case Exported::ExternalName: return condition("Ready", false, "Failed", "the Service cannot be exported");
    case Exported::Service: break;
  }
  return condition("Ready", true, "Exported", "exported by the federation of " + cluster);
}

Condition conflict(const std::string& text) {
  return text.empty() ? condition("Conflict", false, "NoConflicts", "")
                      : condition("Conflict", true, "PortConflict", text);
}

std::string rule_for(std::string_view) {
  return "; the role needs a rule apiGroups: [multicluster.x-k8s.io], resources: [serviceexports/status], verbs: "
         "[patch]";
}

}  // namespace

ExportStatuses::ExportStatuses(Environment environment, const Limits& limits)
    : env_(std::move(environment)),
      limits_(limits),
      queue_(limits.queue, {"Valid", "Ready", "Conflict"}),
      writer_(env_.loop, env_.clock, env_.client, queue_, rule_for) {}

ExportStatuses::~ExportStatuses() {
  if (timer_) env_.loop.cancel(*timer_);
}

void ExportStatuses::start(std::string group) {
  group_ = std::move(group);
  kind_ = {"ServiceExport", "ServiceExport", "serviceexports", true, group_};
  schedule();
}

void ExportStatuses::take(const kubernetes::Notice& notice) {
  if (std::holds_alternative<kubernetes::Begin>(notice)) {
    listed_.clear();
  } else if (const auto* event = std::get_if<kubernetes::Event>(&notice)) {
    take_event(*event);
  } else {
    take_listed();
  }
}

void ExportStatuses::take_event(const kubernetes::Event& event) {
  const auto resource = resources::read_resource(kind_, event.object);
  const auto name = kubernetes::read_service_export(event.object);
  if (!resource || !name) return;  // the directory says so
  if (event.type == kubernetes::EventType::Deleted) return forget(resource->key);
  listed_.insert(resource->key);
  exports_[resource->key] = name->name;
  generations_[name->name] = resource->generation;
  queue_.has(*resource, env_.clock.now());
  changed_.insert(name->name);
}

void ExportStatuses::take_listed() {
  std::vector<std::string> gone;
  for (const auto& [key, name] : exports_) {
    if (!listed_.contains(key)) gone.push_back(key);
  }
  for (const std::string& key : gone) forget(key);
}

void ExportStatuses::forget(const std::string& key) {
  queue_.forget(key);
  const auto found = exports_.find(key);
  if (found == exports_.end()) return;
  generations_.erase(found->second);
  changed_.erase(found->second);
  exports_.erase(found);
}

void ExportStatuses::service_changed(const ObjectName& name) {
  if (generations_.contains(name)) changed_.insert(name);
}

void ExportStatuses::services_listed() {
  for (const auto& [name, generation] : generations_) changed_.insert(name);
}

void ExportStatuses::schedule() {
  timer_ = env_.loop.after(limits_.turn, [this] {
    timer_.reset();
    turn();
    schedule();
  });
}

void ExportStatuses::turn() {
  if (!env_.directory.complete() || generations_.empty()) return;
  survey();
  std::vector<ObjectName> now;
  for (const ObjectName& name : changed_) {
    if (now.size() < limits_.exports && survey_.covers(name)) now.push_back(name);
  }
  for (const ObjectName& name : now) {
    changed_.erase(name);
    judge(name);
  }
  writer_.write();
}

/// Surveys the catalog while it changes, and at once for an export that no survey has covered.
void ExportStatuses::survey() {
  if (!survey_.under_way()) {
    const bool covers_all = std::ranges::all_of(changed_, [this](const auto& name) { return survey_.covers(name); });
    if (revision_ == env_.catalog.revision() && covers_all) return;
    revision_ = env_.catalog.revision();
    std::set<ObjectName> services;
    for (const auto& [name, generation] : generations_) services.insert(name);
    survey_.begin(std::move(services));
  }
  const auto before = survey_.conflicts();
  if (!survey_.step(env_.catalog.records(), limits_.endpoints)) return;
  for (const auto* conflicts : {&before, &survey_.conflicts()}) {
    for (const auto& [name, text] : *conflicts) service_changed(name);
  }
}

void ExportStatuses::judge(const ObjectName& name) {
  const auto generation = generations_.find(name);
  if (generation == generations_.end()) return;
  const Exported service = env_.directory.exported_service(name);
  resources::Status status;
  status.conditions = {valid(service, name), ready(service, env_.cluster), conflict(survey_.conflict(name))};
  queue_.want("ServiceExport/" + name.text(), std::move(status), generation->second, env_.clock.now());
}

void ExportStatuses::collect(std::vector<metrics::Sample>& out) const {
  const metrics::Labels labels = {{"cluster", env_.cluster}};
  metrics::gauge(out, "meshdns_kubernetes_service_exports", "ServiceExports of the cluster", labels,
                 static_cast<double>(exports_.size()));
  metrics::gauge(out, "meshdns_kubernetes_conflicting_exports", "ServiceExports that conflict with other clusters",
                 labels, static_cast<double>(survey_.conflicts().size()));
  metrics::gauge(out, "meshdns_kubernetes_waiting_export_statuses", "ServiceExports whose status is to be written",
                 labels, static_cast<double>(queue_.waiting()));
  const char* patches = "meshdns_kubernetes_export_patches_total";
  metrics::count(out, patches, "statuses of ServiceExports sent to the API server",
                 {{"cluster", env_.cluster}, {"result", "written"}}, writer_.written());
  metrics::count(out, patches, "statuses of ServiceExports sent to the API server",
                 {{"cluster", env_.cluster}, {"result", "failed"}}, writer_.failed());
}

}  // namespace meshdns::dnsd::app
