#include "dnsd/kubernetes/apply_changes.h"

#include <optional>
#include <utility>

#include "dnsd/federation/agents.h"

namespace meshdns::kubernetes {

void apply_changes(const std::string& cluster, DirectoryChanges changes, federation::Agents& agents, TimePoint now) {
  using Known = federation::StandIns::Known;
  federation::Bindings& bindings = agents.bindings();
  for (auto& [uid, services] : changes.pods) {
    if (services) {
      bindings.put(cluster, uid, {services->namespace_, std::move(services->memberships), services->node}, now);
    } else {
      bindings.remove(cluster, uid, now);
    }
  }
  if (changes.first) bindings.listed(cluster, now);
  federation::StandIns::Changes endpoints;
  for (auto& [key, record] : changes.endpoints) {
    endpoints.emplace_back(
        key, record ? std::optional(Known{std::move(record->endpoint), std::move(record->node)}) : std::nullopt);
  }
  agents.stand_ins().apply(cluster, std::move(endpoints), changes.first, now);
  for (const std::string& node : changes.gone_nodes) agents.node_deleted(cluster + "/" + node);
  if (changes.first) agents.watcher_listed();
}

}  // namespace meshdns::kubernetes
