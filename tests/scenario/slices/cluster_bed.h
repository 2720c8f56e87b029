#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dnsd/kubernetes/apply_changes.h"
#include "dnsd/kubernetes/service_directory.h"
#include "tests/scenario/slices/slice_objects.h"
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::test {

/// A pod as its agent reports it.
struct ReportedPod {
  std::string address;
  model::HealthState state = model::HealthState::Serving;
};

/// One cluster of Kubernetes, called eu-1, as a federation sees it in simulated time: what the API server says, and the
/// agents of its nodes.
class ClusterBed {
 public:
  using Kind = kubernetes::ServiceDirectory::Kind;
  using Pods = std::map<std::string, ReportedPod>;  // by uid

  ClusterBed() { sweep_forever(); }

  // ---- the API server ----

  void list(Kind kind) { take(kind, kubernetes::Begin{}); }
  void listed(Kind kind) { take(kind, kubernetes::Listed{}); }
  void list_everything();
  void put(const std::string& kind, const std::string& name, const ObjectOptions& options);
  void remove(const std::string& kind, const std::string& name, const ObjectOptions& options);
  void without_exports();
  static Kind kind_named(const std::string& word);

  // ---- agents ----

  /// Connects the agent of a node, which says nothing of pods yet.
  /// place:          as the agent says it, without cluster and node
  /// names_all_pods: false = the agent is of an older version
  void connect(const std::string& node, const model::Locality& place = {}, bool names_all_pods = true);
  /// Sends all pods. listed: whether the agent can read them
  void report(const std::string& node, Pods pods, bool listed = true);
  void change(const std::string& node, const Pods& upserts, const std::vector<std::string>& removals);
  void leave(const std::string& node, bool withdraw);
  /// Ends the stream without a word.
  void cut(const std::string& node);
  bool is_connected(const std::string& node) const { return agents_of_nodes_.contains(node); }

  /// Lets time pass; connected agents send heartbeats.
  void advance(Duration by);

  SimClock clock;
  catalog::Catalog catalog;
  federation::Agents agents{{.catalog = catalog,
                             .clock = clock,
                             .timers = clock,
                             .instance = "eu-1/a",
                             .changed = [] {},
                             .rates = {.known = 1e6, .full = 1e6}}};
  kubernetes::ServiceDirectory directory{"eu-1"};

 private:
  struct Agent {
    std::unique_ptr<federation::FakeAgent> stream;
    Pods pods;
    bool listed = false;
  };

  void take(Kind kind, const kubernetes::Notice& notice);
  void apply();
  void sweep_forever();
  static std::vector<federation::Sample> samples(const Pods& pods);
  void send_full(Agent& agent);
  /// Sends a Full if the federation has asked for one.
  void answer(Agent& agent);

  std::map<std::string, Agent> agents_of_nodes_;
  std::vector<std::unique_ptr<federation::FakeAgent>> ended_;
};

}  // namespace meshdns::test
