#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/kubernetes/client.h"
#include "common/kubernetes/informer.h"
#include "common/log/reminder.h"
#include "common/metrics/registry.h"
#include "common/process/event_loop.h"
#include "dnsd/app/event_log.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/status_rounds.h"
#include "dnsd/app/status_writer.h"
#include "dnsd/kubernetes/service_directory.h"
#include "dnsd/persistence/persistence.h"
#include "dnsd/resources/follower.h"
#include "dnsd/resources/status_queue.h"

namespace meshdns::dnsd::app {

/// Keeps a federation's objects equal to those in the Kubernetes API, and writes their status there.
///
///   Informer of each kind -> Follower -> check -> Persistence::adopt() -> catalog, and a copy in the store
///                               |
///   listing, as `meshdnsctl get` shows it -> StatusRounds -> StatusQueue -> PATCH .../status
///
/// While the API server is away, all objects stay. After a start without it, those of the store count.
/// thread: the loop's
class KubernetesObjects {
 public:
  /// All references must outlive it.
  struct Environment {
    process::EventLoop& loop;
    const MeshState& mesh;
    EventLog& events;
    persistence::Persistence& persistence;
    kubernetes::Server server;
    std::string cluster;
    StatusRounds::List list;        // a page of objects with their status
    std::function<void()> changed;  // the catalog has changed
  };
  struct Limits {
    std::size_t put = 256;  // objects in one go
    resources::StatusQueue::Limits status{};
    StatusRounds::Limits rounds{};
  };

  KubernetesObjects(Environment environment, const Limits& limits);
  KubernetesObjects(const KubernetesObjects&) = delete;
  KubernetesObjects& operator=(const KubernetesObjects&) = delete;
  ~KubernetesObjects();

  /// Makes the first requests.
  void start();
  /// Takes the hosts that Namespaces give by their annotations, as soon as all Namespaces are known, and judges the
  /// objects again.
  void set_hosts(kubernetes::NamespaceHosts hosts);
  /// Judges which objects may have their hosts: those that may not any more leave force, and refused ones are checked
  /// again. Does nothing if the rights are unchanged, or not known yet.
  void judge_hosts();
  void write(v1::StatusReply& out) const;
  void collect(std::vector<metrics::Sample>& out) const;

 private:
  void take(const resources::Kind& kind, const kubernetes::Notice& notice);
  void take_event(const resources::Kind& kind, const kubernetes::Event& event);
  void take_listed(const resources::Kind& kind);
  /// Applies changes soon: events that have come together count together.
  void apply_soon();
  void apply();
  void tell_of_refusals();
  /// Takes the objects out of force that may not have their hosts.
  void withdraw_forbidden();
  /// Logs entries of annotations that are no hosts, and their end.
  void tell_of_entries(std::set<std::string> problems);
  /// Adds an event for each object that was created, changed or deleted.
  void note(const persistence::Objects::Change& change, const std::set<std::string>& before);
  std::string problem() const;

  Environment env_;
  const Limits limits_;
  resources::Follower follower_;
  resources::StatusQueue queue_;
  std::optional<StatusRounds> rounds_;
  std::optional<TimerId> apply_timer_;
  bool complete_ = false;  // all kinds were listed once
  std::optional<kubernetes::NamespaceHosts> hosts_;
  std::set<std::string> entry_problems_;  // of annotations, as they were logged
  log::Reminder refusal_reminder_;
  kubernetes::Client client_;
  StatusWriter writer_;
  std::deque<kubernetes::Informer> informers_;  // the last member: their consumers use the others
};

}  // namespace meshdns::dnsd::app
