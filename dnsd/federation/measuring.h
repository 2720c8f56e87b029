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

/// Has the agents measure how far other clusters are and whether their gateways can be reached, and publishes what that
/// comes to in the catalog, as the ClusterStatus of the agents' cluster. Pure but for the catalog.
/// thread: control
class Measuring {
 public:
  /// Between plans, and between publications.
  static constexpr Duration kPace = 1s;
  static constexpr std::size_t kPlannedPerSecond = 1000;  // nodes

  explicit Measuring(catalog::Catalog& catalog) : catalog_(catalog) {}

  /// What a node's agent is asked to measure, as part of its settings.
  void write_targets(const std::string& node, v1::Settings& out) const;
  void heard(const std::string& node, const v1::Measurements& measurements, TimePoint now);
  /// Whether it is time for sweep().
  bool due(TimePoint now) const { return !swept_ || now - *swept_ >= kPace; }
  /// Whose agents can be told.
  struct Connected {
    std::uint64_t version = 0;                       // another one when they are others
    std::function<std::set<std::string>()> nodes{};  // called only to make a new plan
  };
  /// A new plan is made when the agents or the records that it follows from have changed; it costs by the number of
  /// nodes, so in a large mesh it is made less often.
  /// returns: the nodes that are to measure something else from now on
  std::vector<std::string> sweep(const Connected& connected, TimePoint now);

  /// How many targets agents measure, each of each agent.
  std::size_t targets() const;
  std::uint64_t results() const { return results_; }

 private:
  std::vector<std::string> plan(const Connected& connected, TimePoint now);
  /// The catalog's generation of the records that plans follow from.
  std::uint64_t generation() const;
  void publish(TimePoint now);
  const MeasuredTarget* find(const std::string& node, const std::string& key) const;

  catalog::Catalog& catalog_;
  Distances distances_;
  MeasurePlan plan_;
  std::optional<TimePoint> planned_at_;
  std::uint64_t planned_for_ = 0;         // version of the connected nodes
  std::uint64_t planned_generation_ = 0;  // of the catalog
  std::optional<TimePoint> swept_;
  std::set<std::string> published_;  // clusters
  std::uint64_t results_ = 0;
};

}  // namespace meshdns::federation
