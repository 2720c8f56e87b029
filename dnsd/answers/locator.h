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

/// What placed the client
enum class PlaceSource : std::uint8_t { Listener, ClientSubnet, Forwarder, Prefix, Server, Nowhere };

/// Where a client is.
struct Located {
  std::uint32_t place = 0;  // index of AnswerTable::places
  PlaceSource source = PlaceSource::Nowhere;
  std::uint32_t reason = 0;     // index of Locator::reasons
  bool subnet_trusted = false;  // the asker is a trusted forwarder: its subnet option is used and answered
  std::uint8_t scope = 0;       // length of the range that decided, in the subnet's family
  std::uint8_t length = 0;      // of the range that the client's own address is in
};

/// Places clients by listener, client subnet, source prefix and the server itself, in that order (docs/design.md
/// section 3). All combinations are settled when it is compiled: the prefixes are cut into ranges that do not overlap,
/// and each (listener, range) has its verdict. A lookup is a look at an index, then a binary search among the few
/// ranges within a /16 (IPv6: among all).
struct Locator {
  /// From `start` to the start of the next one.
  struct RangeV4 {
    std::uint32_t start = 0;
    std::uint8_t length = 0;  // ECS scope: the range as a prefix
    bool known = false;       // some prefix covers it
  };
  struct RangeV6 {
    std::array<std::uint8_t, 16> start{};
    std::uint8_t length = 0;
    bool known = false;
  };
  struct Verdict {
    std::uint32_t place = 0;
    PlaceSource source = PlaceSource::Nowhere;
    std::uint32_t reason = 0;
  };
  std::vector<RangeV4> v4 = {{}};  // sorted; the first starts at 0.0.0.0
  /// By the upper half of an IPv4 address: the range that holds the first address of that /16; the last range behind
  /// the last. Nearly always that is the answer. Empty = all ranges are searched.
  std::vector<std::uint32_t> v4_index;
  std::vector<RangeV6> v6 = {{}};         // sorted; the first starts at ::
  std::vector<Verdict> exact = {{}, {}};  // [listener * ranges + range], v4 ranges before v6 ones
  std::vector<Verdict> coarse;            // the same, cut to each granularity: what a forwarder's own place counts
  PrefixList forwarders;
  /// Of each forwarder; the verdicts of one granularity start at coarse[granularity * listeners * ranges].
  std::vector<std::uint32_t> granularities;
  /// What an exact verdict is for questions that a forwarder of one cluster passes on, where several clusters claim the
  /// range. Sorted by order().
  struct Alternative {
    std::uint32_t at = 0;       // of the verdict in `exact`
    std::uint16_t cluster = 0;  // its number, from 1
    Verdict verdict;

    std::uint64_t order() const noexcept { return std::uint64_t{at} << 16 | cluster; }
  };
  std::vector<Alternative> alternatives;
  std::vector<std::uint16_t> cluster_of_place;  // the numbers of the places' clusters; 0 = one that contests nothing
  static constexpr std::size_t kMostContested = 100;
  std::vector<std::string> contested;  // for people: prefixes that several clusters claim, kMostContested at most
  std::size_t contested_count = 0;     // all of them
  std::uint32_t listeners = 1;
  std::uint32_t ranges = 2;  // v4.size() + v6.size()
  std::vector<std::string> reasons = {"as nothing says where"};

  /// Fills v4_index and ranges. To be called when v4 and v6 stand.
  void complete();

  /// subnet: the client's option; used only if `client` is a trusted forwarder
  Located locate(const IpAddress& client, std::uint16_t listener, const wire::ClientSubnet& subnet) const noexcept;

 private:
  struct Found {
    std::size_t range;
    std::uint8_t length;
    bool known;
  };
  Found find_v4(std::uint32_t address) const noexcept;
  Found find_v6(const std::array<std::uint8_t, 16>& address) const noexcept;
  Found find(const IpAddress& address) const noexcept;
  /// The exact verdict for a question that a forwarder in this place passes on.
  const Verdict& passed_on(std::uint32_t place, std::size_t at) const noexcept;
};

}  // namespace meshdns::answers
