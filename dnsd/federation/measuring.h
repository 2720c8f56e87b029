#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/distances.h"
#include "dnsd/federation/measure_plan.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

/// Tells agents to measure how far other clusters are and whether their gateways can be reached, and publishes the
/// results in the catalog as the ClusterStatus of the agents' cluster. Connects plan_measurements() and Distances with
/// the catalog. Pure except for the catalog.
/// thread: control
class Measuring {
 public:
  /// The time between plans, and between publications.
  static constexpr Duration kPace = 1s;
  static constexpr std::size_t kPlannedPerSecond = 1000;  // nodes; a larger mesh is planned less often

  /// catalog: must outlive this
  explicit Measuring(catalog::Catalog& catalog) : catalog_(catalog) {}

  /// Adds the targets of a node's agent to its settings.
  void write_targets(const std::string& node, v1::Settings& out) const;
  /// Takes an agent's results; ignores results for targets that are not in its plan.
  void heard(const std::string& node, const v1::Measurements& measurements, TimePoint now);
  /// Returns whether it is time for sweep().
  bool due(TimePoint now) const { return !swept_ || now - *swept_ >= kPace; }
  /// The nodes whose agents have a session.
  struct Connected {
    std::uint64_t version = 0;                       // changes whenever the nodes change
    std::function<std::set<std::string>()> nodes{};  // called only for a new plan
  };
  /// Plans and publishes. A new plan is made only when the connected agents or the records have changed. A plan costs
  /// by the number of nodes, so it is made less often in a large mesh.
  /// returns: the nodes whose targets changed
  std::vector<std::string> sweep(const Connected& connected, TimePoint now);

  /// The number of targets of all agents together.
  std::size_t targets() const;
  /// The number of results taken so far.
  std::uint64_t results() const { return results_; }

 private:
  std::vector<std::string> plan(const Connected& connected, TimePoint now);
  /// The catalog's generation of the records from which plans are made.
  std::uint64_t generation() const;
  void publish(TimePoint now);
  const MeasuredTarget* find(const std::string& node, const std::string& key) const;

  catalog::Catalog& catalog_;
  Distances distances_;
  MeasurePlan plan_;
  std::optional<TimePoint> planned_at_;
  std::uint64_t planned_for_ = 0;         // Connected::version of the last plan
  std::uint64_t planned_generation_ = 0;  // generation() of the last plan
  std::optional<TimePoint> swept_;
  std::set<std::string> published_;  // clusters with a status in the catalog
  std::uint64_t results_ = 0;
};

}  // namespace meshdns::federation
