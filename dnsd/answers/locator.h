#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/net/ip_address.h"
#include "common/net/prefix_list.h"
#include "dnsd/wire/message.h"

namespace meshdns::answers {

/// The source that placed a client.
enum class PlaceSource : std::uint8_t { Listener, ClientSubnet, Forwarder, Prefix, Server, Nowhere };

/// The place of a client, and how it was found.
struct Located {
  std::uint32_t place = 0;  // index of AnswerTable::places
  PlaceSource source = PlaceSource::Nowhere;
  std::uint32_t reason = 0;     // index of Locator::reasons
  bool subnet_trusted = false;  // the query comes from a trusted forwarder: its subnet option is used and answered
  std::uint8_t scope = 0;       // ECS scope: the length of the range that holds the client subnet
  std::uint8_t length = 0;      // the length of the range that holds the client's own address
};

/// Finds where clients are: by listener, client subnet, source prefix, or the server itself (docs/design.md section 3).
/// All combinations are settled when the locator is compiled (locator_compiler.h). A lookup reads an index and searches
/// the few ranges within a /16; for IPv6 it searches all ranges.
struct Locator {
  /// The addresses from `start` to the start of the next range. Every range is a prefix.
  struct RangeV4 {
    std::uint32_t start = 0;
    std::uint8_t length = 0;  // of the range as a prefix: the ECS scope
    bool known = false;       // some claimed prefix contains the range
  };
  struct RangeV6 {
    std::array<std::uint8_t, 16> start{};
    std::uint8_t length = 0;
    bool known = false;
  };
  /// The place of the clients of one range at one listener.
  struct Verdict {
    std::uint32_t place = 0;
    PlaceSource source = PlaceSource::Nowhere;
    std::uint32_t reason = 0;
  };
  std::vector<RangeV4> v4 = {{}};  // sorted; the first starts at 0.0.0.0
  /// By the upper 16 bits of an IPv4 address: the range with the first address of that /16, which is nearly always the
  /// answer. Has 65,537 entries, the last for the end of the search. Empty = all ranges are searched.
  std::vector<std::uint32_t> v4_index;
  std::vector<RangeV6> v6 = {{}};         // sorted; the first starts at ::
  std::vector<Verdict> exact = {{}, {}};  // [listener * ranges + range]; IPv4 ranges come first
  /// Verdicts for forwarders that send no subnet: [(granularity * listeners + listener) * ranges + range].
  std::vector<Verdict> coarse;
  PrefixList forwarders;
  /// By forwarder: its granularity, an index of `coarse`.
  std::vector<std::uint32_t> granularities;
  /// The verdict in the place of an exact one, for queries that a forwarder of one cluster passes on, where several
  /// clusters claim the range. Sorted by order().
  struct Alternative {
    std::uint32_t at = 0;       // index of the verdict in `exact`
    std::uint16_t cluster = 0;  // number of the forwarder's cluster, from 1
    Verdict verdict;

    std::uint64_t order() const noexcept { return std::uint64_t{at} << 16 | cluster; }
  };
  std::vector<Alternative> alternatives;
  std::vector<std::uint16_t> cluster_of_place;  // numbers of clusters; 0 = it contests no range
  static constexpr std::size_t kMostContested = 100;
  std::vector<std::string> contested;  // shown to people: prefixes that several clusters claim, at most kMostContested
  std::size_t contested_count = 0;     // the number of all such prefixes
  std::uint32_t listeners = 1;
  std::uint32_t ranges = 2;  // v4.size() + v6.size()
  std::vector<std::string> reasons = {"as nothing says where"};

  /// Fills v4_index and ranges.
  /// requires: v4 and v6 are complete
  void complete();

  /// Returns where a client is.
  /// listener: index of the listener that got the query
  /// subnet: the client subnet option; used only if `client` is a trusted forwarder
  Located locate(const IpAddress& client, std::uint16_t listener, const wire::ClientSubnet& subnet) const noexcept;

 private:
  /// The range that holds an address.
  struct Found {
    std::size_t range;
    std::uint8_t length;
    bool known;
  };
  Found find_v4(std::uint32_t address) const noexcept;
  Found find_v6(const std::array<std::uint8_t, 16>& address) const noexcept;
  Found find(const IpAddress& address) const noexcept;
  /// Returns the verdict for a query that a forwarder in this place passes on.
  /// at: index of the verdict in `exact`
  const Verdict& passed_on(std::uint32_t place, std::size_t at) const noexcept;
};

}  // namespace meshdns::answers
