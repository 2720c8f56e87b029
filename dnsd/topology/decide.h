#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/model/locality.h"
#include "common/model/objects.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::topology {

/// The endpoints of one rung, of one cluster where the rung is split, for one client.
struct Tier {
  std::uint32_t number = 0;              // dense from 0: the closest
  std::string rung;                      // "cluster+zone", "any"
  bool split = false;                    // one tier per cluster
  std::string cluster;                   // of a split rung; empty = endpoints without cluster
  std::optional<Duration> distance;      // to that cluster, if known
  std::uint32_t load = 0;                // percent of this client's plain questions that it gets
  std::vector<std::uint32_t> members;    // indexes of candidates, all that are not Out
  std::vector<std::uint32_t> answering;  // those of them that may be answered
};

enum class Emptiness : std::uint8_t {
  None,           // something is answered
  NoEndpoint,     // no known endpoint matches any rung
  NothingServes,  // and onEmpty is NoData
  Unlocated,      // the client has no locality and the ladder has no `any`
};

/// What a client gets of a host, and why.
struct Decision {
  std::vector<Tier> tiers;                   // nearest first
  std::optional<std::uint32_t> answer_tier;  // index into tiers; nothing = NODATA
  Standing kind = Standing::Serving;         // of what is answered; another than Serving = last resort
  bool standby = false;                      // only weight 0 was left: it counts as 1
  Emptiness emptiness = Emptiness::None;
  Duration ttl{};
  std::optional<std::uint32_t> in_doubt;  // the candidate that shortened the TTL

  bool last_resort() const { return answer_tier && kind != Standing::Serving; }
};

/// Chooses for one client: which endpoints, in which tiers, for how long. Pure.
/// client: may be projected onto view_parts(host.policy)
/// source: design.md section 4, steps 4, 6, 7 and 9
Decision decide(const HostPlan& host, const model::Locality& client,
                const std::map<std::string, model::Cluster>& clusters);

}  // namespace meshdns::topology
