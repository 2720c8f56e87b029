#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/net/ip_address.h"
#include "common/net/prefix.h"
#include "common/time/time.h"
#include "dnsd/answers/explain.h"
#include "dnsd/answers/host.h"
#include "dnsd/answers/host_compiler.h"
#include "dnsd/answers/host_state.h"
#include "dnsd/answers/locator.h"
#include "dnsd/answers/locator_compiler.h"
#include "dnsd/answers/names.h"
#include "dnsd/answers/reverse_index.h"
#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::answers {

// The immutable, compiled form of the catalog that DNS workers read. Made by Compiler; readers are dnsd/query (all of
// it) and dnsd/server (prefetch). Everything here is read without lock and without allocation, but for explain().
//
//   name -> Names -> Node (static Rrsets), or Host (in pages)
//   name in a reverse zone -> address -> ReverseIndex -> Host
//   client -> Whereabouts -> Located {place} ; (Host, place) -> Set: which endpoint rows, in which tiers
//
// A new table shares with the one before what did not change: a health flip copies the host's page and the root.

/// Who is where.
struct Whereabouts {
  Locator locator;
  std::vector<std::string> places;          // as explain prints them: "eu/eu-a/eu-1"
  std::vector<model::Locality> localities;  // of the places
  std::vector<Prefix> explain_allow;
  LocatorInput input;  // what the locator was made from, for who keeps the table
};

/// Hosts by number
struct HostPage : Shared {
  static constexpr std::size_t kHosts = 64;
  std::array<Ref<const Host>, kHosts> hosts;
};

/// The class of clients that each place belongs to, for hosts of one shape.
using ClassOfPlace = std::vector<std::uint16_t>;

class AnswerTable {
 public:
  std::shared_ptr<const Names> names = std::make_shared<const Names>();
  std::shared_ptr<const Whereabouts> where = std::make_shared<const Whereabouts>();
  std::shared_ptr<const ClusterRecords> clusters = std::make_shared<const ClusterRecords>();
  std::vector<std::shared_ptr<const ClassOfPlace>> classes;  // by shape
  std::vector<std::uint8_t> shapes;                          // the parts of localities that each looks at
  std::vector<Ref<const HostPage>> pages;
  ReverseIndex reverse;
  Version version;
  std::uint32_t serial = 1;  // the cluster's: see serial_of
  bool stale = false;        // nothing was heard from where the records come from for too long: EDE 3 (RFC 8914 4.4)
  std::uint32_t spread_hosts = 0;                        // of which some clients' load is spread over tiers
  std::uint32_t timed_hosts = 0;                         // whose answers depend on the time of day
  std::uint32_t panic_hosts = 0;                         // of which endpoints are answered that fail
  std::array<std::uint32_t, kHostStates> host_states{};  // hosts, by HostState
  bool not_ready = false;  // it is not known yet what there is: SERVFAIL and EDE 14 in our zones (RFC 8914 4.15)

  /// What stands under a name: one of both, or neither.
  struct Found {
    const Node* node = nullptr;
    const Host* host = nullptr;

    explicit operator bool() const noexcept { return node != nullptr || host != nullptr; }
    std::uint32_t zone() const noexcept { return node != nullptr ? node->zone : host->zone; }
  };
  /// `hash` is wire::hash_name(name).
  Found find(wire::NameBytes name, std::uint64_t hash) const noexcept;
  /// Brings the slot of a name on its way into the cache.
  void prefetch(std::uint64_t hash) const noexcept { __builtin_prefetch(names->first_slot(hash)); }

  /// number: below 64 * pages.size(); null = no host has it
  const Host* host(std::uint32_t number) const noexcept {
    return pages[number / HostPage::kHosts]->hosts[number % HostPage::kHosts].get();
  }
  const Set& set(const Host& host, std::uint32_t place) const noexcept {
    return host.set_of_class((*classes[host.shape])[place]);
  }
  /// What a zone's SOA says: the number of its file while the zone has no hosts, so that tools can wait for it.
  std::uint32_t serial_of(const Zone& zone) const noexcept {
    return zone.file_serial && !zone.has_hosts ? *zone.file_serial : serial;
  }
  bool may_explain(const IpAddress& client) const noexcept;

  /// Lines 02.. of `_explain` for clients of this place: decided anew, since few ask. Allocates.
  std::vector<ExplainLine> explain(const Host& host, std::uint32_t place) const;
};

}  // namespace meshdns::answers
