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

/// What a supposition would change for all hosts, seen from every known cluster and zone. It is made in slices, so that
/// whoever has other things to do does them in between: of 10,000 hosts it takes longer than a heartbeat may wait.
class Survey {
 public:
  static constexpr std::size_t kMostRows = 200;  // in the reply

  Survey(const Scene& scene, Supposition supposition);

  /// Looks for so many steps: at first an endpoint each; then hosts, which count as eight each, but one host at least.
  /// returns: true = all are done
  bool look(const Scene& scene, std::size_t steps);
  /// Rows where nothing serves come first, then by host.
  v1::SimulateReply reply() const;

 private:
  void look_at(const Scene& scene, const std::string& host);

  Supposition supposition_;
  topology::Planner::HitSearch search_;
  std::optional<std::vector<std::string>> hosts_;  // that have endpoints which it concerns; nothing = not all are found
  std::size_t next_ = 0;
  std::size_t all_ = 0;
  std::vector<model::Locality> seats_;
  std::vector<std::string> notes_;
  std::vector<v1::HostChange> empty_;  // where nothing serves afterwards
  std::vector<v1::HostChange> rows_;   // the others; of both the first kMostRows
  std::size_t empty_count_ = 0;
  std::size_t count_ = 0;
  std::size_t hosts_changed_ = 0;
  std::size_t hosts_empty_ = 0;
};

}  // namespace meshdns::explain
