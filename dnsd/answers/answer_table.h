#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/net/ip_address.h"
#include "common/net/prefix.h"
#include "common/time/time.h"
#include "dnsd/answers/locator.h"
#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::answers {

// The immutable, compiled form of the catalog that DNS workers read. Compiled on the control side; readers are
// dnsd/query (all of it) and dnsd/server (prefetch). Everything here is read without lock and without allocation.
//
//   name -> Node -> static Rrsets of the name, and/or its Host
//   client -> Located {place} ; (Host, place) -> Set: which endpoint rows, in which tiers
//   Host -> EndpointRows, ServicePorts

inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

/// Static records of one name and type. rdata in wire form, uncompressed.
struct Rrset {
  wire::Type type{};
  std::uint32_t ttl = 0;
  std::vector<std::vector<std::uint8_t>> rdata;
};

/// A name that exists: a host, a name with static records, an apex, an empty non-terminal (neither host nor rrsets).
/// A static wildcard is the node named "*.<parent>".
struct Node {
  std::uint32_t zone = 0;
  std::uint32_t host = kNone;
  std::vector<Rrset> rrsets;  // apex: without SOA, with NS

  const Rrset* find(wire::Type type) const noexcept;
};

struct Zone {
  std::vector<std::uint8_t> apex;  // wire form, folded, as all names here
  std::uint32_t soa_ttl = 5;
  std::uint32_t serial = 1;
  std::uint32_t refresh = 3600;
  std::uint32_t retry = 600;
  std::uint32_t expire = 86400;
  std::uint32_t minimum = 5;
  std::vector<std::uint8_t> mname;
  std::vector<std::uint8_t> rname;
};

/// One endpoint of one host. Its instance name is the dashed form of the first address (instance_label).
struct EndpointRow {
  bool has_v4 = false;
  bool has_v6 = false;
  std::array<std::uint8_t, 4> v4{};
  std::array<std::uint8_t, 16> v6{};
  std::uint32_t weight = 1;
};

/// `_<name>._<protocol>` of a host
struct ServicePort {
  std::string name;                    // without the underscore, folded: "http"
  bool tcp = true;                     // else UDP
  std::vector<std::uint16_t> numbers;  // by endpoint row; 0 = this one lacks the port
};

/// Rows that are answered from one rung, or one cluster of it
struct Tier {
  std::uint16_t number = 0;  // dense over the rungs that hold known endpoints: has gaps where nothing serves
  std::uint16_t end = 0;     // its rows are Set::rows[the end of the tier before, end)

  friend bool operator==(const Tier&, const Tier&) = default;
};

/// A piece of an explain line: fixed text, then, if `since` is set, the time that has passed since then: "4h12m".
struct ExplainPiece {
  std::string text;
  std::optional<TimePoint> since;

  friend bool operator==(const ExplainPiece&, const ExplainPiece&) = default;
};

/// What a class of clients gets of a host.
struct Set {
  std::uint32_t ttl = 5;            // seconds; ttl_min while in doubt
  std::uint16_t answer_tier = 0;    // index into tiers: the one that A and AAAA use
  bool last_resort = false;         // nothing serves: what is listed is the best of the rest
  bool equal_weights = true;        // of the answer tier
  std::vector<Tier> tiers;          // nearest first; empty = NODATA for everything
  std::vector<std::uint16_t> rows;  // indexes into Host::rows
  std::optional<wire::Ede> ede;     // told to every EDNS client: 18 where a ladder without `any` leaves nothing
  std::string ede_text;
  std::string note;  // informational EDE text for explain_allow prefixes; empty = nothing abnormal
  std::vector<std::vector<ExplainPiece>> explain;  // lines 02.. of _explain, without numbers

  friend bool operator==(const Set&, const Set&) = default;
};

struct Host {
  std::vector<std::uint8_t> name;  // wire form
  std::uint32_t zone = 0;
  std::uint32_t shape = 0;  // which place -> class array
  bool independent_families = false;
  bool same_for_all = false;  // one Set for every place: ECS scope 0
  std::uint32_t max_answers = 8;
  std::uint32_t ttl = 5;  // seconds; of the instance names, whose addresses do not change
  std::vector<EndpointRow> rows;
  std::vector<ServicePort> ports;
  std::vector<std::uint16_t> set_of_class;
  std::vector<Set> sets;
};

/// The index of names, the data behind it, and who is where. Filled by the compiler, then published as const.
class AnswerTable {
 public:
  std::vector<Zone> zones;
  std::vector<Host> hosts;
  std::vector<std::vector<std::uint16_t>> class_of_place;  // by shape, then by place
  std::vector<std::string> places;                         // as explain prints them: "eu/eu-a/eu-1"
  Locator locator;
  std::vector<Prefix> explain_allow;
  bool stale = false;      // nothing was heard from where the records come from for too long: EDE 3 (RFC 8914 4.4)
  bool not_ready = false;  // it is not known yet what there is: SERVFAIL and EDE 14 in our zones (RFC 8914 4.15)

  /// Adds or replaces the node of a name (wire form, folded). References to nodes are void afterwards.
  Node& put(wire::NameBytes name, Node node);

  /// The node of exactly this name; null = there is none. `hash` is wire::hash_name(name).
  const Node* find(wire::NameBytes name, std::uint64_t hash) const noexcept;
  /// Brings the slot of a name on its way into the cache.
  void prefetch(std::uint64_t hash) const noexcept;

  const Set& set(const Host& host, std::uint32_t place) const noexcept {
    return host.sets[host.set_of_class[class_of_place[host.shape][place]]];
  }
  bool may_explain(const IpAddress& client) const noexcept;

 private:
  struct Slot {
    std::uint32_t tag = 0;  // upper half of the hash
    std::uint32_t entry = kNone;
  };
  struct Entry {
    std::vector<std::uint8_t> name;
    Node node;
  };
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half full; linear probing
  std::vector<Entry> entries_;
};

}  // namespace meshdns::answers
