#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/log/reminder.h"
#include "common/metrics/samples.h"
#include "common/process/event_loop.h"
#include "dnsd/app/configuration.h"
#include "dnsd/app/kubernetes_watch.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/agents.h"

namespace meshdns::dnsd::app {

/// The clusters of Kubernetes that a federation follows. Hands what their watches tell to the federation:
///
///   KubernetesWatch -- services of pods ----------------> Bindings, which joins them with what agents report
///                   -- endpoints -----------------------> StandIns, which puts those that no agent owns
///                   -- Nodes that were deleted ---------> Agents
///                   -- hosts of Namespaces -------------> hosts_changed()
///
/// Only the federation that leads has one.
/// thread: the loop's
class KubernetesClusters {
 public:
  /// All references must outlive this.
  struct Environment {
    process::EventLoop& loop;
    const Clock& clock;
    const Configuration& configuration;
    const catalog::Catalog& catalog;
    federation::Agents& agents;
    std::function<void()> records_changed;
    /// The hosts of the Namespaces of a cluster are known, or have changed.
    std::function<void(const std::string& cluster, const kubernetes::NamespaceHosts& hosts)> hosts_changed;
    std::function<void(const std::string& node)> synced;  // the records of a node without an agent are confirmed
  };

  /// Begins to follow the clusters of the configuration.
  explicit KubernetesClusters(Environment environment);

  void write(v1::StatusReply& out) const;
  void collect(std::vector<metrics::Sample>& out) const;

 private:
  void take(const std::string& cluster, kubernetes::DirectoryChanges changes);
  /// Confirms the restored records of nodes without agents: they are what the watch knows.
  void confirm(const std::string& cluster);
  void log_refusals();

  Environment env_;
  log::Reminder refusals_;
  std::vector<std::unique_ptr<KubernetesWatch>> watches_;  // the last member: their callbacks use the others
};

}  // namespace meshdns::dnsd::app
