#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dnsd/wire/name.h"
#include "dnsd/wire/types.h"

namespace meshdns::answers {

/// Stands for no index, number or id.
inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

/// The static records of one name and type. The data of each is in wire form, uncompressed.
struct Rrset {
  wire::Type type{};
  std::uint32_t ttl = 0;
  std::vector<std::vector<std::uint8_t>> rdata;
};

/// A name that exists and is not a host: one with static records, the apex of a zone, or an empty non-terminal (without
/// rrsets). A static wildcard is a node with the name "*.<parent>".
struct Node {
  std::vector<std::uint8_t> name;  // wire form, folded, like all names here
  std::uint32_t zone = 0;
  std::vector<Rrset> rrsets;  // of an apex: NS, but not SOA

  /// Returns the records of a type; null = there are none.
  const Rrset* find(wire::Type type) const noexcept;
};

/// A zone, with the fields of its SOA.
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
  bool has_hosts = false;                    // if so, the SOA has the cluster's serial, not the file's
};

// How it works. One hash table finds nodes and hosts alike. Hosts themselves are in the pages of the table, so that a
// host can change without a change of the names.
//
//   slots_   [tag, id] [      ] [tag, id] ...    linear probing from hash & mask
//                 |                    `------>  id of a host: its number
//                 `-> kNodeBit + index of nodes_
//
// The tag holds the lower half of the hash: nearly every other name is passed over without a look at its bytes. The
// caller compares the bytes, since only it can find a host's name.

/// The index of all names that exist: static nodes, which it contains, and hosts, of which it knows the numbers. Made
/// by the compiler, and immutable once a table has it.
class Names {
 public:
  /// A slot of the hash table; free if `id` is kNone.
  struct Slot {
    std::uint32_t tag = 0;     // lower half of the hash; it also says where the search begins
    std::uint32_t id = kNone;  // a node: kNodeBit + index of nodes(); a host: its number
  };
  static constexpr std::uint32_t kNodeBit = 0x80000000;

  std::vector<Zone> zones;

  const std::vector<Node>& nodes() const noexcept { return nodes_; }
  std::size_t hosts() const noexcept { return hosts_; }

  /// Adds a node, or replaces the node of this name. Invalidates references to nodes.
  void put(Node node);
  /// Returns the node of this name, and adds it if there is none. Invalidates references to nodes.
  Node& node(wire::NameBytes name, std::uint32_t zone);
  /// Adds a host.
  /// requires: neither a host nor a node has the name
  void put_host(wire::NameBytes name, std::uint32_t host);
  /// Makes room for this number of names, so that adding them does not grow the index.
  void reserve(std::size_t names);
  /// Ends the adding of names: frees memory that was reserved for more.
  void complete() { nodes_.shrink_to_fit(); }

  /// Returns the node with exactly this name; null = there is none, or the name is a host's.
  const Node* find_node(wire::NameBytes name) const noexcept;

  /// Returns the first id with this hash for which is_it(id) returns true; kNone = there is none.
  template <class F>
  std::uint32_t find(std::uint64_t hash, F is_it) const noexcept {
    if (slots_.empty()) return kNone;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at].id != kNone; at = (at + 1) & mask) {
      if (slots_[at].tag == tag_of(hash) && is_it(slots_[at].id)) return slots_[at].id;
    }
    return kNone;
  }
  /// Returns where the search for this hash begins, for prefetching; null = there are no names.
  const Slot* first_slot(std::uint64_t hash) const noexcept {
    return slots_.empty() ? nullptr : &slots_[hash & (slots_.size() - 1)];
  }

 private:
  static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash); }
  void add(Slot slot);
  void place(Slot slot);
  void resize(std::size_t slots);

  std::vector<Slot> slots_;  // a power of two, at most half full; linear probing
  std::size_t used_ = 0;     // slots in use
  std::vector<Node> nodes_;
  std::size_t hosts_ = 0;
};

}  // namespace meshdns::answers
