#include "dnsd/explain/simulation.h"

#include "common/convert/object_convert.h"
#include "dnsd/explain/difference.h"
#include "dnsd/explain/explanation.h"
#include "dnsd/topology/lint.h"

namespace meshdns::explain {
namespace {

Result<model::Override> override_of(v1::OverrideSpec spec, const std::string& name) {
  if (spec.reason().empty()) spec.set_reason("simulated");
  v1::Object object;
  object.set_api_version("meshdns.io/v1alpha1");
  object.set_kind("Override");
  object.mutable_metadata()->set_name(name);
  *object.mutable_override() = std::move(spec);
  return convert::to_override(object);
}

}  // namespace

Result<Supposition> supposed(const topology::Overrides& real, const v1::SimulateRequest& request) {
  Supposition out;
  if (request.clear()) {
    for (const auto& [name, word] : real) out.targets.push_back(word.target);
  } else {
    out.overrides = real;
  }
  for (const v1::OverrideSpec& spec : request.overrides()) {
    const std::string name = "simulated-" + std::to_string(out.targets.size());
    auto word = override_of(spec, name);
    if (!word) return Error(Code::InvalidArgument, word.error().message());
    out.targets.push_back(word->target);
    out.overrides["/" + name] = *std::move(word);  // no real override has such a name
  }
  return out;
}

Result<v1::SimulateReply> simulate(const Scene& scene, const v1::SimulateRequest& request,
                                   const Supposition& supposition) {
  auto before = explain(scene, request.explain());
  if (!before) return before.error();
  auto after = explain(scene, request.explain(), supposition.overrides);
  if (!after) return after.error();
  const auto plan = scene.planner.plan(before->host(), scene.now);
  const auto other = scene.planner.plan(before->host(), scene.now, supposition.overrides);
  v1::SimulateReply out;
  *out.mutable_before() = *std::move(before);
  *out.mutable_after() = *std::move(after);
  for (auto& change : endpoint_changes(*plan, *other)) *out.add_endpoints() = std::move(change);
  for (const std::string& note : missed_targets(scene.catalog.records(), supposition.targets)) out.add_notes(note);
  return out;
}

std::vector<std::string> missed_targets(const model::Records& records,
                                        const std::vector<model::OverrideTarget>& targets) {
  std::vector<std::string> out;
  for (const model::OverrideTarget& target : targets) {
    if (auto text = topology::missed(records, target); !text.empty()) out.push_back(std::move(text));
  }
  return out;
}

}  // namespace meshdns::explain
