#pragma once

#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "common/model/locality.h"
#include "common/model/objects.h"
#include "dnsd/answers/host.h"
#include "dnsd/topology/decide.h"
#include "dnsd/topology/gateways.h"

namespace meshdns::answers {

using Clusters = std::map<std::string, model::Cluster>;

/// A copy of the records that topology::Geography refers to, for the compile thread.
struct ClusterRecords {
  Clusters clusters;
  std::map<std::string, model::ClusterStatus> statuses;

  topology::Geography geography() const { return {clusters, statuses}; }
  friend bool operator==(const ClusterRecords&, const ClusterRecords&) = default;
};

/// Returns a copy of these records.
inline ClusterRecords cluster_records(const model::Records& records) {
  return {records.clusters, records.cluster_statuses};
}

/// Stores parts that many hosts have in common once. Parts that no host uses any more are dropped when the number of
/// parts has doubled.
class HostParts {
 public:
  /// Each returns the stored part that is equal to the argument, and adds it if there is none.
  Ref<const KnownLocality> locality(const model::Locality& place);
  Ref<const LocalityList> list(std::vector<Ref<const KnownLocality>> localities);
  Ref<const TextList> list(std::vector<std::string> texts);
  Ref<const HostSpec> spec(const topology::HostPlan& plan);
  /// Returns the names that the plan's candidates have themselves; null = none has one. Hosts do not share them.
  static Ref<const Hostnames> hostnames(const topology::HostPlan& plan);

 private:
  /// The parts of one kind, by content.
  template <class Part, auto kSays>
  class Known {
   public:
    template <class What>
    Ref<const Part> find_or_add(What what);

   private:
    struct IsBefore {
      using is_transparent = void;
      template <class What>
      static const auto& said(const What& what) {
        if constexpr (std::is_same_v<What, Ref<const Part>>)
          return what.get()->*kSays;
        else
          return what;
      }
      bool operator()(const auto& a, const auto& b) const { return said(a) < said(b); }
    };
    std::set<Ref<const Part>, IsBefore> parts_;
    std::size_t next_sweep_ = 1024;
  };

  Known<LocalityList, &LocalityList::entries> locality_lists_;
  Known<TextList, &TextList::entries> text_lists_;
  Known<KnownLocality, &KnownLocality::value> localities_;
  Ref<const HostSpec> last_spec_;  // hosts with one spec are compiled one after the other
};

/// The surroundings for which a host is compiled.
struct HostFrame {
  const std::vector<std::uint8_t>& name;      // wire form, folded
  std::uint32_t zone = 0;                     // index of Names::zones
  std::uint16_t shape = 0;                    // number of the shape whose classes the views are
  const std::vector<model::Locality>& views;  // by class of the shape: the locality that its clients have in common
  const topology::Geography geography;
  const Host* before = nullptr;  // the host as compiled last for the same views: tiers in panic stay so; null = none
};

// How it works. compile_host() decides once for every class of clients (see Shapes), and lays the results out in one
// block of memory, so that a worker finds an answer without following pointers:
//
//   Host | name | classes | sets | tiers | set rows | rows | traits | port numbers | IPv6 | loads
//
//   class of a client -> classes[] -> Set -> its Tiers -> their set rows -> EndpointRow -> EndpointTraits
//
// Arrays that most answers need come first, close to the head. They are found by offsets instead of pointers, so that
// the block can be copied, and written to a file as it is (HostBytes).
//
// Memory per host decides how many hosts a server can have, so equal parts are stored once:
//   * classes with equal outlooks are decided once, and classes with equal results have one Set
//   * a Set whose tiers are the first tiers of another Set uses the other's
//   * endpoints with equal weight, port, state and text have one EndpointTraits
//   * port numbers are stored once if they are equal at all endpoints
//   * policy, localities and texts are shared between hosts (HostParts)
//   * IPv6 addresses and loads are left out if no row or set needs them, hostnames if no instance has one
//
// A gateway gets a row of its own after those of the endpoints, one for each weight and set of ports that it stands
// for. Gateways that nobody is answered with now get a row, too, because their instance names must exist.
//
// Not done: no message is encoded in advance, since draws, the ECS scope and the client's buffer differ per query. The
// plan is not kept: plan_of() restores it from the compiled host to explain it or to compile it again.

/// Compiles a host: decides for every class of clients, and lays out the results for DNS workers. Pure, except that
/// `parts` keeps shared parts.
Ref<const Host> compile_host(const topology::HostPlan& plan, const HostFrame& frame, HostParts& parts);

/// Returns a copy of a host that belongs to another zone.
/// zone: index of Names::zones
Ref<const Host> in_zone(const Host& host, std::uint32_t zone);

}  // namespace meshdns::answers
