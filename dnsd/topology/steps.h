#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/model/policy.h"

namespace meshdns::topology {

/// One "how close" for one client: a rung of the ladder, or a place that a failover rule names.
struct Step {
  const model::Rung* rung = nullptr;    // null = a place of `rule`
  const model::Locality* to = nullptr;  // in the policy
  bool split = false;                   // one tier per cluster

  std::string name() const;

  friend bool operator==(const Step&, const Step&) = default;
};

/// The parts of places that the policy looks at for some client, bit i = Part i: places that agree in them are the same
/// for every client's Steps, and for routes and distances.
std::uint8_t place_parts(const model::Policy& policy);

/// The policy's ladder as one client climbs it: with the places of its failover rule behind `region`.
/// source: design.md section 4, steps 3 to 5
class Steps {
 public:
  /// Refers to both.
  Steps(const model::Policy& policy, const model::Locality& client);

  /// The first step that an endpoint of this place belongs to; nothing = it is never answered.
  std::optional<std::size_t> of(const model::Locality& place) const;
  const Step& operator[](std::size_t index) const { return steps_[index]; }

  /// False = outside the fence.
  bool admits(const model::Locality& place) const;
  /// The fence is around a part that the client's locality lacks: nothing is inside.
  bool fence_unknown() const;

  /// Of distribute: the client's share that the place belongs to; as many as there are = none of them.
  std::size_t share_of(const model::Locality& place) const;
  /// Null = nothing is distributed for this client.
  const model::Distribute* distribute() const { return distribute_; }

  /// Of one policy: the same steps and shares, whatever the clients.
  friend bool operator==(const Steps& a, const Steps& b) {
    return a.distribute_ == b.distribute_ && a.steps_ == b.steps_;
  }

 private:
  void add_failover(const model::Failover& rule);

  const model::Policy& policy_;
  const model::Locality& client_;
  const model::Distribute* distribute_;
  std::vector<Step> steps_;
};

}  // namespace meshdns::topology
