#pragma once

#include <cstdint>
#include <span>

#include "dnsd/answers/answer_table.h"
#include "dnsd/query/choice.h"
#include "dnsd/query/random.h"
#include "dnsd/query/response.h"
#include "dnsd/query/spread.h"
#include "dnsd/wire/name.h"

namespace meshdns::query {

/// What became of a name: the negative ones still need their SOA.
enum class Outcome : std::uint8_t {
  Answered,
  NoData,
  NoDataForView,  // others may get data: to be cached as short as possible
  NxDomain,
  Truncated,  // a part of the answer is written: what fitted
};

/// Writes what one host gives one class of clients: `set` is that class's.
/// owner: where the name that is answered for stands in the message
struct HostAnswer {
  Response& response;
  const answers::Host& host;
  const answers::Set& set;
  std::uint16_t owner;
  Random& random;
  LotSeat seat = {};
  std::size_t tier = 0;  // the one that addresses are of: an index of Host::tiers(set)

  /// A or AAAA of the tier in use (docs/design.md section 4: one tier, never mixed; a family that it lacks is NODATA).
  Outcome addresses(wire::Type type) const noexcept;
  /// addresses() is NODATA though a tier that is not in use has addresses of this type.
  bool lacks_family(wire::Type type) const noexcept;
  /// A or AAAA of every tier, nearest first
  Outcome all_addresses(wire::Type type) const noexcept;
  /// At most so many addresses fit into the response, and the policy allows.
  std::size_t address_limit(wire::Type type) const noexcept;
  /// A or AAAA of these rows, which were chosen of address_limit()
  Outcome chosen(const Choice& choice, wire::Type type) const noexcept;
  /// The instance's own addresses, the same for everyone
  Outcome instance(std::uint16_t row, wire::Type type) const noexcept;

  /// Seconds
  std::uint32_t ttl() const noexcept;
  /// Writes the row's A or AAAA record. returns: false if it did not fit
  bool write_address(Section section, std::uint16_t at, std::uint16_t row, wire::Type type,
                     std::uint32_t ttl) const noexcept;
  /// In a panic nobody is held back for being new: who serves must not get less than who does not.
  bool is_warm(std::size_t tier) const noexcept;
};

}  // namespace meshdns::query
