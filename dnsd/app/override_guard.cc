#include "dnsd/app/override_guard.h"

#include <string>
#include <utility>
#include <vector>

#include "common/convert/object_convert.h"
#include "dnsd/topology/lint.h"

namespace meshdns::dnsd::app {
namespace {

/// Returns "would leave app-b.mesh.internal (and 3 more) without serving endpoints; --force does it all the same".
std::string emptying_text(const std::vector<std::string>& hosts) {
  const std::string more = hosts.size() > 1 ? " (and " + std::to_string(hosts.size() - 1) + " more)" : "";
  return "would leave " + hosts.front() + more + " without serving endpoints; --force does it all the same";
}

bool takes_away(const model::Override& word) {
  return word.action == model::Action::Down || word.action == model::Action::Drain;
}

/// Returns the targets of a request's overrides, each with the index of its object. A freeze has no target.
std::vector<std::pair<int, model::OverrideTarget>> targets_of(const v1::ApplyRequest& request) {
  std::vector<std::pair<int, model::OverrideTarget>> out;
  for (int i = 0; i < request.objects_size(); ++i) {
    if (!request.objects(i).has_override()) continue;
    const auto word = convert::to_override(request.objects(i));
    if (word && word->action != model::Action::Freeze) out.emplace_back(i, word->target);
  }
  return out;
}

}  // namespace

std::string idle_target(const v1::ApplyRequest& request, const model::Records& records) {
  if (!request.needs_target() || request.force()) return "";
  for (const auto& [index, target] : targets_of(request)) {
    const std::string problem = topology::missed(records, target);
    if (!problem.empty()) return problem + "; --force does it all the same";
  }
  return "";
}

void count_targets(const v1::ApplyRequest& request, const model::Records& records, v1::ApplyReply& reply) {
  for (const auto& [index, target] : targets_of(request)) {
    reply.mutable_results(index)->set_endpoints(topology::count_hits(records, target));
  }
}

bool refuse_emptying(const v1::ApplyRequest& request, publish::Publisher& publisher,
                     const topology::Overrides& overrides, v1::ApplyReply& reply) {
  topology::Overrides after = overrides;
  std::vector<std::pair<int, model::Override>> put;
  for (int i = 0; i < request.objects_size(); ++i) {
    const auto outcome = reply.results(i).outcome();
    const bool changes = outcome == v1::ApplyResult::CREATED || outcome == v1::ApplyResult::CONFIGURED;
    if (!changes || !request.objects(i).has_override()) continue;
    const auto word = convert::to_override(request.objects(i));
    if (!word) continue;
    after[word->meta.name] = *word;
    put.emplace_back(i, *word);
  }
  bool refused = false;
  for (const auto& [index, word] : put) {
    if (!takes_away(word)) continue;
    const auto hosts = publisher.emptied(word.target, after);
    if (hosts.empty()) continue;
    v1::ApplyResult& result = *reply.mutable_results(index);
    result.set_outcome(v1::ApplyResult::REFUSED);
    result.set_error(emptying_text(hosts));
    refused = true;
  }
  return refused;
}

}  // namespace meshdns::dnsd::app
