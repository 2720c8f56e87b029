#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/model/policy.h"

namespace meshdns::topology {

/// A step of closeness for one client: a rung of the ladder, or a place that a failover rule names.
struct Step {
  const model::Rung* rung = nullptr;    // null = `to` is set
  const model::Locality* to = nullptr;  // a place of the failover rule; owned by the policy
  bool split = false;                   // the step has one tier per cluster
  bool early = false;                   // takes only places that a later rung would take

  /// Returns "cluster+zone", or "failover region=us".
  std::string name() const;

  friend bool operator==(const Step&, const Step&) = default;
};

/// Returns the parts of an endpoint's locality that the policy looks at. Endpoints whose localities agree in these
/// parts have the same steps, routes and distances for every client.
/// returns: bit i = model::Part i
std::uint8_t place_parts(const model::Policy& policy);

/// Returns the parts in which an endpoint must equal the client to be inside the place that a failover rule names in
/// `from`. These are the given parts with all that they imply, or the region if none is given. Beside a cluster, region
/// and network are left out, because a cluster lies in one of each.
/// returns: bit i = model::Part i
std::uint8_t own_parts(const model::Locality& from);

// How it works. A failover rule is an order among places beyond the client's own. "Own" is as wide as the rule's
// `from`: a rule for a region orders regions, a rule for a zone orders zones, a rule for a cluster orders clusters.
//
//   from {cluster: c1}    cluster+zone  cluster  [c3] [c2]  zone  region  any
//   from {zone: eu-a}     cluster+zone  cluster  zone  [...]  region  any
//   from {region: eu}     cluster+zone  cluster  zone  region  [us] [ap]  any
//
// The rule's places come after the last rung that lies inside `from`. If no rung covers all of `from`, one is inserted
// before the places (Step::early); otherwise the places would come before a part of the client's own place. The
// inserted rung takes only what a later rung would take, so that no endpoint is answered that the ladder leaves out.
// Endpoints in the client's own place belong to none of the rule's places.

/// The ladder of the policy for one client, with the places of its failover rule.
/// source: docs/design.md section 4, steps 3 to 5
class Steps {
 public:
  /// Both must outlive this.
  Steps(const model::Policy& policy, const model::Locality& client);

  /// Returns the first step that takes an endpoint in this place; nothing = it is never answered.
  std::optional<std::size_t> of(const model::Locality& place) const;
  /// Returns a step, the closest first.
  const Step& operator[](std::size_t index) const { return steps_[index]; }
  std::size_t size() const { return steps_.size(); }

  /// Returns whether the place is inside the policy's fence.
  bool admits(const model::Locality& place) const;
  /// Returns whether the fence is around a part that the client's locality lacks, so that nothing is inside.
  bool fence_unknown() const;

  /// Returns the index of the client's share that the place belongs to; the number of shares = none.
  /// requires: distribute() is not null
  std::size_t share_of(const model::Locality& place) const;
  /// Returns the distribute rule for this client; null = there is none.
  const model::Distribute* distribute() const { return distribute_; }

  /// Compares steps and shares, for clients of one policy. The clients themselves are not compared.
  friend bool operator==(const Steps& a, const Steps& b) {
    return a.distribute_ == b.distribute_ && a.own_parts_ == b.own_parts_ && a.steps_ == b.steps_;
  }

 private:
  void add_failover(const model::Failover& rule);
  bool takes(std::size_t step, const model::Locality& place) const;

  const model::Policy& policy_;
  const model::Locality& client_;
  const model::Distribute* distribute_;
  std::uint8_t own_parts_ = 0;  // of the failover rule; 0 = there is none
  std::vector<Step> steps_;
};

}  // namespace meshdns::topology
