#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/net/ip_address.h"
#include "common/net/prefix_set.h"
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

// The immutable, compiled form of the catalog that DNS workers read. Compiler makes it; dnsd/query answers from it, and
// dnsd/server prefetches from it. Everything except explain() is read without a lock and without allocation.
//
//   name -> Names -> Node (static Rrsets), or Host (in pages)
//   name in a reverse zone -> address -> ReverseIndex -> Host
//   client -> Whereabouts -> Located {place} ; (Host, place) -> Set: which endpoint rows, in which tiers
//
// A new table shares with the one before everything that has not changed: a change of health copies the host's page and
// the root.

/// The places of clients, the locator that finds them, and who may ask for explanations.
struct Whereabouts {
  Locator locator;
  std::vector<std::string> places;          // as explain shows them: "eu/eu-a/eu-1"
  std::vector<model::Locality> localities;  // by place
  PrefixSet explain_allow;
  LocatorInput input;  // the input of the locator, to be kept in a file with the table
};

/// A page of hosts, in the order of their numbers.
struct HostPage : Shared {
  static constexpr std::size_t kHosts = 64;
  std::array<Ref<const Host>, kHosts> hosts;
};

/// The class of clients that each place belongs to, for hosts of one shape.
using ClassOfPlace = std::vector<std::uint16_t>;

/// The root of the table. Copying it copies pointers to its parts.
/// thread: any for reading; it is created and destroyed by the Compiler's thread
class AnswerTable {
 public:
  std::shared_ptr<const Names> names = std::make_shared<const Names>();
  std::shared_ptr<const Whereabouts> where = std::make_shared<const Whereabouts>();
  std::shared_ptr<const ClusterRecords> clusters = std::make_shared<const ClusterRecords>();
  std::vector<std::shared_ptr<const ClassOfPlace>> classes;  // by shape
  std::vector<std::uint8_t> shapes;                          // by shape: the parts of localities that it looks at
  std::vector<Ref<const HostPage>> pages;
  ReverseIndex reverse;
  Version version;
  std::uint32_t serial = 1;  // the cluster's: see serial_of
  bool stale = false;        // nothing was heard from the source of the records for too long: EDE 3 (RFC 8914 4.4)
  std::uint32_t spread_hosts = 0;                        // some clients' load is spread over tiers
  std::uint32_t timed_hosts = 0;                         // their answers depend on the time of day
  std::uint32_t panic_hosts = 0;                         // endpoints that fail take part in their answers
  std::array<std::uint32_t, kHostStates> host_states{};  // hosts, by HostState
  bool not_ready = false;  // the records are not known yet: SERVFAIL and EDE 14 in our zones (RFC 8914 4.15)

  /// The result of find(): a node, a host, or neither.
  struct Found {
    const Node* node = nullptr;
    const Host* host = nullptr;

    explicit operator bool() const noexcept { return node != nullptr || host != nullptr; }
    std::uint32_t zone() const noexcept { return node != nullptr ? node->zone : host->zone; }
  };
  /// Returns the node or host with this name.
  /// hash: wire::hash_name(name)
  Found find(wire::NameBytes name, std::uint64_t hash) const noexcept;
  /// Loads the slot of a name into the cache ahead of find().
  void prefetch(std::uint64_t hash) const noexcept { __builtin_prefetch(names->first_slot(hash)); }

  /// Returns a host.
  /// number:  below 64 * pages.size()
  /// returns: null = no host has the number
  const Host* host(std::uint32_t number) const noexcept {
    return pages[number / HostPage::kHosts]->hosts[number % HostPage::kHosts].get();
  }
  /// Returns the answer set of a host for clients in a place.
  const Set& set(const Host& host, std::uint32_t place) const noexcept {
    return host.set_of_class((*classes[host.shape])[place]);
  }
  /// Returns the serial of a zone's SOA. A zone with hosts has the cluster's; a zone without has that of its file, so
  /// that tools that wait for the file's serial see it.
  std::uint32_t serial_of(const Zone& zone) const noexcept {
    return zone.file_serial && !zone.has_hosts ? *zone.file_serial : serial;
  }
  /// Returns whether answers are explained to a client.
  bool may_explain(const Prefix& clients) const noexcept;

  /// Returns the lines of `_explain` from the second on, for clients in this place. Decides again, since few ask, and
  /// allocates.
  std::vector<ExplainLine> explain(const Host& host, std::uint32_t place) const;
};

}  // namespace meshdns::answers
