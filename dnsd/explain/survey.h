#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "dnsd/explain/difference.h"
#include "dnsd/explain/scene.h"
#include "dnsd/explain/simulation.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::explain {

/// Finds out what a supposition would change for all hosts, as seen from every known cluster and zone. It works in
/// slices, so that its thread can do other work in between: 10,000 hosts take longer than a heartbeat may wait.
class Survey {
 public:
  static constexpr std::size_t kMostRows = 200;  // in the reply

  Survey(const Scene& scene, Supposition supposition);

  /// Goes on with the survey.
  /// steps: at first one for each endpoint, then eight for each host; at least one host is looked at
  /// returns: true = the survey is complete
  bool look(const Scene& scene, std::size_t steps);
  /// Returns the result: rows where nothing serves first, then the others, each in the order of hosts.
  v1::SimulateReply reply() const;

 private:
  void look_at(const Scene& scene, const std::string& host);

  Supposition supposition_;
  topology::Planner::HitSearch search_;
  std::optional<std::vector<std::string>> hosts_;  // hosts with endpoints in a target; nothing = the search goes on
  std::size_t next_ = 0;
  std::size_t all_ = 0;
  std::vector<model::Locality> places_;
  std::vector<std::string> notes_;
  std::vector<v1::HostChange> empty_;  // rows where nothing serves afterwards
  std::vector<v1::HostChange> rows_;   // all other rows; of both kinds the first kMostRows
  std::size_t empty_count_ = 0;
  std::size_t count_ = 0;
  std::size_t hosts_changed_ = 0;
  std::size_t hosts_empty_ = 0;
};

}  // namespace meshdns::explain
