#include "dnsd/app/override_guard.h"

#include <string>
#include <utility>
#include <vector>

#include "common/convert/object_convert.h"

namespace meshdns::app {
namespace {

/// "would leave app-b.mesh.internal (and 3 more) without serving endpoints; --force does it all the same"
std::string emptying_text(const std::vector<std::string>& hosts) {
  const std::string more = hosts.size() > 1 ? " (and " + std::to_string(hosts.size() - 1) + " more)" : "";
  return "would leave " + hosts.front() + more + " without serving endpoints; --force does it all the same";
}

bool takes_away(const model::Override& word) {
  return word.action == model::Action::Down || word.action == model::Action::Drain;
}

}  // namespace

bool refuse_emptying(const v1::ApplyRequest& request, Publisher& publisher, const topology::Overrides& overrides,
                     v1::ApplyReply& reply) {
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

}  // namespace meshdns::app
