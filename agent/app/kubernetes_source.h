#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/app/configuration.h"
#include "agent/discovery/kubernetes_node.h"
#include "agent/discovery/pod_endpoints.h"
#include "agent/discovery/pod_store.h"
#include "agent/probes/cgroup_events.h"
#include "agent/report/messages.h"
#include "common/kubernetes/client.h"
#include "common/kubernetes/informer.h"
#include "common/metrics/samples.h"
#include "common/process/event_loop.h"

namespace meshdns::agent::app {

/// The discovery source that follows the pods of this node at the API server: which pods exist, and what their kubelet
/// says of them. It also asks for the Node object, which says where the node is, and waits for the kernel to report the
/// end of containers.
///
///   Informer (pods) -> PodStore -> endpoints_of() -> pods_changed
///   GET Node ------------------------------------>  node_changed
///   CgroupEvents --------------------------------->  ended
///
/// The API server may be away for as long as it wants: what was known stays.
/// thread: the loop's
class KubernetesSource {
 public:
  /// Called from the loop, never within a call of this class.
  struct Events {
    std::function<void()> pods_changed;  // listing() or state() changed
    std::function<void()> node_changed;  // described() has another result
    std::function<void(const std::string& key, const std::string& container)> ended;
  };

  /// loop, clock: must outlive the source
  KubernetesSource(process::EventLoop& loop, const Clock& clock, KubernetesSettings settings, Events events);
  ~KubernetesSource();
  KubernetesSource(const KubernetesSource&) = delete;
  KubernetesSource& operator=(const KubernetesSource&) = delete;

  void start();

  /// The endpoints of pods; empty until the first list is complete.
  const discovery::PodListing& listing() const { return listing_; }
  /// The state as it is reported, with all problems.
  report::SourceState state() const;
  /// Whether state() is another than at the last call of this function.
  bool state_changed();
  /// Returns the node with the region and zone of its Node object, and the prefixes of its pods besides its own.
  model::Node described(model::Node node) const;

  void collect(std::vector<metrics::Sample>& out) const;

 private:
  void take(const kubernetes::Notice& notice);
  void changed();
  void publish();
  void open_cgroups();
  void watch_containers();
  /// Returns whether the container is watched from now on, or was before.
  bool watch(const std::string& pod, const std::string& container);
  /// Publishes new prefixes of clients, not more often than every kPrefixInterval: each takes a new session.
  void follow_prefixes();
  void container_ended(const std::string& container);
  void ask_for_node();
  void take_node(const Result<kubernetes::Answer>& answer);
  void ask_again(Duration delay);
  void tell_of_problems();

  process::EventLoop& loop_;
  const Clock& clock_;
  KubernetesSettings settings_;
  Events events_;
  kubernetes::Client client_;
  discovery::PodStore store_;
  discovery::PodListing listing_;
  std::optional<discovery::KubernetesNode> node_;
  discovery::ClientPrefixes prefixes_;
  std::string node_problem_;
  std::unique_ptr<probes::CgroupEvents> cgroups_;
  std::map<std::string, std::string> containers_;  // id -> uid of the pod, of those that run
  std::map<std::string, TimePoint> unwatched_;     // id -> when the kernel could not watch it
  std::set<std::string> told_;                     // problems that were logged
  report::SourceState told_state_;
  bool published_ = false;
  unsigned failed_lookups_ = 0;
  std::uint64_t ended_ = 0;
  std::optional<TimerId> publish_timer_;
  std::optional<TimerId> prefix_timer_;
  std::optional<TimerId> node_timer_;
  kubernetes::Call node_call_;
  kubernetes::Informer informer_;  // the last member: its consumer uses the others
};

}  // namespace meshdns::agent::app
