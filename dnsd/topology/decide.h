#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/model/locality.h"
#include "common/model/objects.h"
#include "dnsd/topology/geography.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::topology {

class Spots;

/// A gateway that stands for endpoints of one tier.
struct GatewayTarget {
  const model::Gateway* gateway = nullptr;  // in the geography's clusters
  std::uint64_t hundredths = 0;             // its share of the weight of all that it stands for, in hundredths
  std::vector<std::uint32_t> members;       // those: their ports count where the gateway has none of the name
};

/// The number of one of the host's ports at a gateway: its own of the same name, else its own without a name, else
/// that of the first endpoint behind it that has the port; 0 = nobody behind it has it.
std::uint16_t port_of(const HostPlan& host, const GatewayTarget& target, std::size_t port);

/// The endpoints of one rung, of one cluster where the rung is split, for one client.
struct Tier {
  std::uint32_t number = 0;              // dense from 0: the closest
  std::string rung;                      // "cluster+zone", "any"
  std::string part;                      // of distribute or priorityGroups, what it belongs to: "80% region=eu"
  bool split = false;                    // one tier per cluster
  std::string cluster;                   // of a split rung; empty = endpoints without cluster
  std::optional<Duration> distance;      // to that cluster, if known
  std::uint32_t health = 0;              // percent: how much load it can take
  std::uint32_t load = 0;                // percent of this client's plain questions that it gets; all sum to 100, or 0
  bool panic = false;                    // its last_resort endpoints take part too
  std::vector<std::uint32_t> members;    // indexes of candidates, all that are not Out or are forced down
  std::vector<std::uint32_t> answering;  // those of them that may be answered
  std::vector<GatewayTarget> gateways;   // what is answered instead of those of them that are behind gateways
  std::vector<std::uint32_t> direct;     // the others of them; meaningless without gateways

  /// How many addresses stand for it.
  std::size_t targets() const { return gateways.empty() ? answering.size() : gateways.size() + direct.size(); }
};

enum class Emptiness : std::uint8_t {
  None,           // something is answered
  NoEndpoint,     // no known endpoint matches any rung
  NothingServes,  // and onEmpty is NoData
  ForcedDown,     // operators have forced down all that there is
  Unlocated,      // the client has no locality and the ladder has no `any`
  Fenced,         // the fence leaves nothing
  FenceUnknown,   // the fence is around a part of the client's locality that is not known
};

/// What a client gets of a host, and why.
struct Decision {
  std::vector<Tier> tiers;                   // nearest first
  std::optional<std::uint32_t> answer_tier;  // index into tiers: the nearest with a load; nothing = NODATA
  Standing kind = Standing::Serving;         // of what is answered; another than Serving = last resort
  bool standby = false;                      // only weight 0 was left: it counts as 1
  bool distributed = false;                  // the loads are shares that an operator asked for
  Emptiness emptiness = Emptiness::None;
  Duration ttl{};
  std::optional<std::uint32_t> in_doubt;  // the candidate that shortened the TTL
  std::vector<Standing> standings;        // of each candidate, for this client: behind gateways that are down it fails
  std::uint64_t panic = 0;                // bit i: tier i is in panic

  bool last_resort() const { return answer_tier && kind != Standing::Serving; }
  bool blocked(const HostPlan& host, std::uint32_t candidate) const {
    return standings[candidate] != host.candidates[candidate].standing;
  }
};

/// Who asks.
struct Client {
  const model::Locality& place;  // may be projected onto view_parts(host.policy)
  std::uint64_t panic = 0;       // Decision::panic of the decision before, for clients that see the same; 0 = none
};

/// Chooses for one client: which endpoints, in which tiers, how much of each, for how long. Pure.
/// source: docs/design.md section 4, steps 2 to 9
Decision decide(const HostPlan& host, const Client& client, const Geography& geography);

// How it works. What a client gets of a host follows from the standing of the candidates, which is the same for all
// clients, and from how the client sees the places of the candidates: see Outlook. Many clients see them alike, those
// in places without endpoints of the host before all. So the places are found once for a host, each client's outlook is
// compared with the outlooks before, and tiers, loads and answers are made for new ones only.

/// Decides for many clients of one host. Pure. The plan, the clients' places and the geography's records must outlive
/// it.
class HostDecider {
 public:
  HostDecider(const HostPlan& host, const Geography& geography);
  HostDecider(const HostDecider&) = delete;
  HostDecider& operator=(const HostDecider&) = delete;
  ~HostDecider();

  /// Returns the number of the client's outlook, from 0, a new one if no client before had an equal one. Clients with
  /// equal numbers get equal decisions.
  std::size_t look(const Client& client);
  /// Chooses for the clients with this number.
  Decision decide(std::size_t outlook) const;

 private:
  struct Seen;
  const HostPlan& host_;
  const Geography geography_;
  const std::unique_ptr<const Spots> spots_;
  std::vector<Seen> seen_;  // by number
  std::unordered_multimap<std::size_t, std::size_t> by_hash_;
};

}  // namespace meshdns::topology
