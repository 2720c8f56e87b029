#include "dnsd/explain/findings.h"

#include <algorithm>
#include <utility>

#include "common/convert/object_convert.h"
#include "common/model/kubernetes_names.h"
#include "dnsd/answers/reverse_compiler.h"

namespace meshdns::explain {
namespace {

bool is_coarse(const answers::ForwarderSettings& forwarder) { return forwarder.granularity != model::Part::Node; }

v1::Finding::Severity to_wire(topology::Severity severity) {
  switch (severity) {
    case topology::Severity::Advice: return v1::Finding::ADVICE;
    case topology::Severity::Warning: return v1::Finding::WARNING;
    case topology::Severity::Error: break;
  }
  return v1::Finding::ERROR;
}

/// Returns the findings of an object.
/// errors: those of the conversion: the object is not valid
template <class T>
Result<std::vector<topology::Finding>> linted(const topology::LintScene& scene, const Result<T>& object) {
  if (!object) return object.error();
  return topology::lint(scene, *object);
}

Result<std::vector<topology::Finding>> linted(const topology::LintScene& scene, const v1::Object& object) {
  if (object.has_virtual_destination()) return linted(scene, convert::to_virtual_destination(object));
  if (object.has_override()) return linted(scene, convert::to_override(object));
  return linted(scene, convert::to_cluster(object));
}

}  // namespace

Linter::Linter(const model::Records& records, topology::Planner& planner, const answers::AnswerSettings& settings,
               TimePoint now)
    : Linter(records, planner, settings, std::make_shared<topology::KnownNames>(records), now) {}

Linter::Linter(const model::Records& records, topology::Planner& planner, const answers::AnswerSettings& settings,
               std::shared_ptr<topology::KnownNames> names, TimePoint now)
    : names_(std::move(names)),
      scene_{records, planner, *names_, {}, std::ranges::any_of(settings.forwarders, is_coarse), now} {
  for (const answers::ZoneSettings& zone : settings.zones) {
    if (!answers::is_reverse_zone(zone.name)) scene_.zones.push_back(zone.name);
  }
  scene_.cluster = settings.own.cluster;
}

void Linter::expect(const v1::Object& object) {
  if (object.has_cluster()) {
    if (const auto cluster = convert::to_cluster(object)) {
      names_->add(*cluster);
      scene_.companions.add(*cluster);
    }
  } else if (object.has_virtual_destination()) {
    if (const auto destination = convert::to_virtual_destination(object)) {
      names_->add(*destination);
      scene_.companions.add(*destination);
    }
  }
}

void Linter::look_at_rights(const v1::Object& object, std::vector<topology::Finding>& found) const {
  if (!rights_ || !object.has_virtual_destination()) return;
  auto destination = convert::to_virtual_destination(object);
  if (!destination) return;
  const auto live = scene_.records.destinations.find(destination->meta.key());
  const bool is_live = live != scene_.records.destinations.end();
  if (is_live && live->second.meta.manager != model::kKubernetesManager) return;
  destination->meta.manager = model::kKubernetesManager;
  const auto refusal = rights_->check(*destination);
  if (!refusal) return;
  found.push_back({refusal->field, is_live ? topology::Severity::Error : topology::Severity::Advice,
                   (is_live ? "" : "with kubectl it would be refused: ") + refusal->reason});
}

std::vector<v1::Finding> Linter::look(const v1::Object& object) const {
  std::vector<topology::Finding> found;
  if (auto findings = linted(scene_, object)) {
    found = *std::move(findings);
  } else {
    found.push_back({"", topology::Severity::Error, findings.error().message()});
  }
  look_at_rights(object, found);
  std::ranges::stable_sort(found, std::greater(), &topology::Finding::severity);
  std::vector<v1::Finding> out;
  for (const topology::Finding& finding : found) {
    v1::Finding& entry = out.emplace_back();
    entry.set_object(convert::object_key(object));
    entry.set_path(finding.path);
    entry.set_severity(to_wire(finding.severity));
    entry.set_message(finding.message);
  }
  return out;
}

}  // namespace meshdns::explain
