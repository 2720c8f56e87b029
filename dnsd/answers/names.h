#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::answers {

inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

/// Static records of one name and type. rdata in wire form, uncompressed.
struct Rrset {
  wire::Type type{};
  std::uint32_t ttl = 0;
  std::vector<std::vector<std::uint8_t>> rdata;
};

/// A name that exists and is no host: one with static records, an apex, an empty non-terminal (no rrsets).
/// A static wildcard is the node named "*.<parent>".
struct Node {
  std::vector<std::uint8_t> name;  // wire form, folded, as all names here
  std::uint32_t zone = 0;
  std::vector<Rrset> rrsets;  // apex: without SOA, with NS

  const Rrset* find(wire::Type type) const noexcept;
};

struct Zone {
  std::vector<std::uint8_t> apex;
  std::uint32_t soa_ttl = 5;
  std::uint32_t refresh = 3600;
  std::uint32_t retry = 600;
  std::uint32_t expire = 86400;
  std::uint32_t minimum = 5;
  std::vector<std::uint8_t> mname;
  std::vector<std::uint8_t> rname;
  std::optional<std::uint32_t> file_serial;  // of the SOA in the zone file
  bool has_hosts = false;                    // then the serial is the cluster's, whatever the file says
};

/// Which names exist: an index by hash over nodes, which stand here, and hosts, which stand elsewhere under a number.
class Names {
 public:
  struct Slot {
    std::uint32_t tag = 0;     // lower half of the hash: it says where the search begins, whatever the size
    std::uint32_t id = kNone;  // of a node: kNodeBit + index of nodes(); of a host: its number
  };
  static constexpr std::uint32_t kNodeBit = 0x80000000;

  std::vector<Zone> zones;

  const std::vector<Node>& nodes() const noexcept { return nodes_; }
  std::size_t hosts() const noexcept { return hosts_; }

  /// Adds a node, or replaces the one of this name. References to nodes are void afterwards.
  void put(Node node);
  /// The node of this name, added where there is none. References to nodes are void afterwards.
  Node& node(wire::NameBytes name, std::uint32_t zone);
  /// Adds a host under a name that has neither host nor node.
  void put_host(wire::NameBytes name, std::uint32_t host);
  /// Room for so many names, so that adding them costs no growing.
  void reserve(std::size_t names);
  /// No more come: gives back what growing took ahead.
  void complete() { nodes_.shrink_to_fit(); }

  /// The node of exactly this name; null = there is none, or it is a host.
  const Node* find_node(wire::NameBytes name) const noexcept;

  /// The id under which `is_it` recognises the name; kNone = there is none. Goes through all names of this hash.
  template <class F>
  std::uint32_t find(std::uint64_t hash, F is_it) const noexcept {
    if (slots_.empty()) return kNone;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at].id != kNone; at = (at + 1) & mask) {
      if (slots_[at].tag == tag_of(hash) && is_it(slots_[at].id)) return slots_[at].id;
    }
    return kNone;
  }
  /// Where the search for a name of this hash begins; null = there are no names.
  const Slot* first_slot(std::uint64_t hash) const noexcept {
    return slots_.empty() ? nullptr : &slots_[hash & (slots_.size() - 1)];
  }

 private:
  static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash); }
  void add(Slot slot);
  void place(Slot slot);
  void resize(std::size_t slots);

  std::vector<Slot> slots_;  // a power of two, at most half full; linear probing
  std::size_t used_ = 0;     // slots
  std::vector<Node> nodes_;
  std::size_t hosts_ = 0;
};

}  // namespace meshdns::answers
