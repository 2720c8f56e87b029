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
  const model::Gateway* gateway = nullptr;  // one of the geography's clusters owns the gateway
  std::uint64_t hundredths = 0;             // its share of the weight of all endpoints behind it, in hundredths
  std::vector<std::uint32_t> members;       // candidates behind it: their ports count where the gateway lacks one
};

/// Returns the number of one of the host's ports at a gateway: the gateway's port of the same name, otherwise the
/// gateway's port without a name, otherwise the port of the first endpoint behind the gateway that has the port.
/// port:    an index of HostPlan::ports
/// returns: 0 = no endpoint behind the gateway has the port
std::uint16_t port_of(const HostPlan& host, const GatewayTarget& target, std::size_t port);

/// A tier: the endpoints of one rung for one client. A rung that is split has one tier per cluster.
struct Tier {
  std::uint32_t number = 0;              // dense from 0, which is the closest
  std::string rung;                      // "cluster+zone", "any"
  std::string part;                      // its share of distribute, or its priority group: "80% region=eu"
  bool split = false;                    // the rung has one tier per cluster
  std::string cluster;                   // the cluster of a tier of a split rung; empty = endpoints without cluster
  std::optional<Duration> distance;      // from the client's cluster to this one, if known
  std::uint32_t health = 0;              // percent: how much of the client's load the tier can take
  std::uint32_t load = 0;                // percent of this client's queries; all loads sum to 100, or all are 0
  bool panic = false;                    // the last_resort endpoints of the tier take part in its answers
  std::vector<std::uint32_t> members;    // indexes of candidates: those not Out, and those forced down
  std::vector<std::uint32_t> answering;  // the members that may be answered
  std::vector<GatewayTarget> gateways;   // they replace the members of `answering` that are behind gateways
  std::vector<std::uint32_t> direct;     // the others of `answering`; used only if there are gateways

  /// Returns how many endpoints and gateways the tier is answered with.
  std::size_t targets() const { return gateways.empty() ? answering.size() : gateways.size() + direct.size(); }
};

/// Why a client gets no endpoint of a host.
enum class Emptiness : std::uint8_t {
  None,           // something is answered
  NotExported,    // endpoints are known, but only clients of their own clusters see them
  NoEndpoint,     // no known endpoint matches any rung
  NothingServes,  // nothing serves, and onEmpty is NoData
  ForcedDown,     // operators have forced down every endpoint
  Unlocated,      // the client has no locality and the ladder has no `any`
  Fenced,         // the fence leaves nothing
  FenceUnknown,   // the fence is around a part of the client's locality, and this part is not known
};

/// Returns whether a client gets nothing because the policy, or the lack of an export, keeps endpoints from it.
constexpr bool is_kept_out(Emptiness emptiness) {
  using enum Emptiness;
  return emptiness == NotExported || emptiness == Unlocated || emptiness == Fenced || emptiness == FenceUnknown;
}

/// The decision for one client of one host: which endpoints the client gets, and why.
struct Decision {
  std::vector<Tier> tiers;                   // nearest first
  std::optional<std::uint32_t> answer_tier;  // index into tiers: the nearest tier with a load; nothing = NODATA
  Standing kind = Standing::Serving;  // the standing of what is answered; any other than Serving means last resort
  bool standby = false;               // only endpoints of weight 0 are left to answer: each counts as 1
  bool distributed = false;           // the loads follow from a distribute rule of the policy
  Emptiness emptiness = Emptiness::None;
  Duration ttl{};
  std::optional<std::uint32_t> in_doubt;  // the candidate that shortened the TTL
  std::vector<Standing> standings;  // by candidate, for this client: an endpoint behind gateways that are down fails
  std::uint64_t panic = 0;          // bit i: tier i is in panic

  /// Returns whether what is answered is the last resort.
  bool last_resort() const { return answer_tier && kind != Standing::Serving; }
  /// Returns whether a candidate stands worse for this client than for others, because its gateways are down.
  bool blocked(const HostPlan& host, std::uint32_t candidate) const {
    return standings[candidate] != host.candidates[candidate].standing;
  }
};

/// The client of one decision.
struct Client {
  const model::Locality& place;  // may be projected onto view_parts(host.policy)
  std::uint64_t panic = 0;       // Decision::panic of the last decision for an equal view; 0 = none
};

/// Decides for one client: which endpoints are answered, in which tiers, with which loads and for how long. Pure.
/// source: docs/design.md section 4, steps 2 to 9
Decision decide(const HostPlan& host, const Client& client, const Geography& geography);

// How it works. The decision for a client follows from the standing of the candidates, which is the same for all
// clients, and from how the client sees the places of the candidates (its Outlook). Many clients have equal outlooks,
// above all clients in places where the host has no endpoint.
//
//   HostPlan --once--> Spots         the distinct places of the candidates
//   Client   --look--> Outlook       one Sight per spot: inside the fence? which step? which route?
//                      equal to an earlier one? -> the same number, nothing is computed
//   number   --decide--> Decision    tiers, loads, endpoints: once for each distinct outlook
//
// The caller asks for the number of every client, and for a decision once per number.

/// Decides for many clients of one host, and computes each distinct decision once. Pure.
/// The plan, the clients' places and the geography's records must outlive this.
class HostDecider {
 public:
  HostDecider(const HostPlan& host, const Geography& geography);
  HostDecider(const HostDecider&) = delete;
  HostDecider& operator=(const HostDecider&) = delete;
  ~HostDecider();

  /// Returns the number of the client's outlook, counted from 0. Clients with equal numbers get equal decisions; a
  /// client whose outlook no earlier client had gets a new number.
  std::size_t look(const Client& client);
  /// Decides for the clients whose outlook has this number.
  /// requires: look() has returned the number
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
