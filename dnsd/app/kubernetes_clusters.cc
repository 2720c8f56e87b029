#include "dnsd/app/kubernetes_clusters.h"

#include <utility>

#include "common/log/log.h"
#include "dnsd/kubernetes/apply_changes.h"

namespace meshdns::dnsd::app {

KubernetesClusters::KubernetesClusters(Environment environment) : env_(std::move(environment)) {
  for (const KubernetesServer& cluster : env_.configuration.kubernetes_clusters) {
    watches_.push_back(std::make_unique<KubernetesWatch>(
        KubernetesWatch::Environment{env_.loop, env_.clock, env_.catalog}, cluster, KubernetesWatch::Limits(),
        [this, name = cluster.cluster](kubernetes::DirectoryChanges changes) { take(name, std::move(changes)); }));
  }
  for (const auto& watch : watches_) watch->start();
}

void KubernetesClusters::take(const std::string& cluster, kubernetes::DirectoryChanges changes) {
  const bool first = changes.first;
  const auto hosts = std::exchange(changes.hosts, std::nullopt);
  kubernetes::apply_changes(cluster, std::move(changes), env_.agents, env_.clock.now());
  if (first) confirm(cluster);
  if (hosts) env_.hosts_changed(cluster, *hosts);
  log_refusals();
  env_.records_changed();
}

void KubernetesClusters::confirm(const std::string& cluster) {
  for (const auto& [key, node] : env_.catalog.records().nodes) {
    if (node.session == 0 && node.locality.cluster == cluster) env_.synced(key);
  }
}

void KubernetesClusters::log_refusals() {
  const federation::StandIns& stand_ins = env_.agents.stand_ins();
  if (stand_ins.refused() == 0) {
    if (refusals_.ends()) log::info("kubernetes endpoints are taken again");
  } else if (refusals_.due(env_.clock.now())) {
    log::warn("kubernetes endpoints refused", {{"endpoints", stand_ins.refused()}, {"first", stand_ins.refusal()}});
  }
}

void KubernetesClusters::write(v1::StatusReply& out) const {
  const federation::StandIns& stand_ins = env_.agents.stand_ins();
  for (const auto& watch : watches_) {
    v1::KubernetesInfo& info = *out.add_kubernetes();
    watch->write(info);
    info.set_agents(static_cast<std::uint32_t>(stand_ins.owned(watch->cluster())));
  }
  if (stand_ins.refused() == 0 || watches_.empty()) return;
  out.mutable_kubernetes(0)->add_problems(std::to_string(stand_ins.refused()) +
                                          " endpoints refused: " + stand_ins.refusal());
}

void KubernetesClusters::collect(std::vector<metrics::Sample>& out) const {
  for (const auto& watch : watches_) {
    watch->collect(out);
    metrics::gauge(out, "meshdns_kubernetes_agents", "nodes of the cluster whose agents list pods",
                   {{"cluster", watch->cluster()}},
                   static_cast<double>(env_.agents.stand_ins().owned(watch->cluster())));
  }
  if (watches_.empty()) return;
  metrics::gauge(out, "meshdns_kubernetes_refused_endpoints", "endpoints of EndpointSlices that no record can hold", {},
                 static_cast<double>(env_.agents.stand_ins().refused()));
}

}  // namespace meshdns::dnsd::app
