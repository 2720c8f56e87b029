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
  bool early = false;                   // only for what a later rung would take

  std::string name() const;

  friend bool operator==(const Step&, const Step&) = default;
};

/// The parts of places that the policy looks at for some client, bit i = Part i: places that agree in them are the same
/// for every client's Steps, and for routes and distances.
std::uint8_t place_parts(const model::Policy& policy);

/// The parts in which an endpoint must equal the client to be inside the place that a failover rule's `from` names: the
/// given ones with those that they imply; the region if `from` gives none. A cluster lies in one region and one
/// network, so these are left out beside a cluster. Bit i = Part i.
std::uint8_t own_parts(const model::Locality& from);

// How it works. A failover rule is an order among places beyond the client's own. "Own" is as wide as the rule's
// `from`: a rule for a region orders regions, a rule for a zone orders zones, a rule for a cluster orders clusters.
//
//   from {cluster: c1}    cluster+zone  cluster  [c3] [c2]  zone  region  any
//   from {zone: eu-a}     cluster+zone  cluster  zone  [...]  region  any
//   from {region: eu}     cluster+zone  cluster  zone  region  [us] [ap]  any
//
// The places follow the last rung that lies inside `from`. A ladder without a rung for all of `from` gets one before
// the places, because else they would come before a part of what is the client's own; that rung takes only what a later
// rung would take, so that nobody is answered whom the ladder leaves out. What is the client's own is in no place of
// the rule.

/// The policy's ladder as one client climbs it, with the places of its failover rule.
/// source: docs/design.md section 4, steps 3 to 5
class Steps {
 public:
  /// Refers to both.
  Steps(const model::Policy& policy, const model::Locality& client);

  /// The first step that an endpoint of this place belongs to; nothing = it is never answered.
  std::optional<std::size_t> of(const model::Locality& place) const;
  const Step& operator[](std::size_t index) const { return steps_[index]; }
  std::size_t size() const { return steps_.size(); }

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
    return a.distribute_ == b.distribute_ && a.own_parts_ == b.own_parts_ && a.steps_ == b.steps_;
  }

 private:
  void add_failover(const model::Failover& rule);
  bool takes(std::size_t step, const model::Locality& place) const;

  const model::Policy& policy_;
  const model::Locality& client_;
  const model::Distribute* distribute_;
  std::uint8_t own_parts_ = 0;  // of the failover rule
  std::vector<Step> steps_;
};

}  // namespace meshdns::topology
