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

/// The outcome for a name. The negative outcomes still need a SOA.
enum class Outcome : std::uint8_t {
  Answered,
  NoData,
  NoDataForView,  // other clients may get data: cached as short as possible
  NxDomain,
  Truncated,  // the records that fit are written
};

/// Writes the records of one host for one class of clients. All references must outlive this.
struct HostAnswer {
  Response& response;
  const answers::Host& host;
  const answers::Set& set;
  std::uint16_t owner;  // offset of the owner name in the message
  Random& random;
  LotSeat seat = {};
  std::size_t tier = 0;  // index of Host::tiers(set): the tier that the client has drawn

  /// Writes A or AAAA of the tier in use (docs/design.md section 4): one tier, never mixed. A family that the tier
  /// lacks is NODATA, unless the policy has independent families or the tier's own IPv4 addresses fail.
  Outcome addresses(wire::Type type) const noexcept;
  /// Returns whether addresses() is NODATA although a tier that is not in use has addresses of this type.
  bool lacks_family(wire::Type type) const noexcept;
  /// Writes A or AAAA of every tier, the nearest first.
  Outcome all_addresses(wire::Type type) const noexcept;
  /// Returns how many addresses fit into the response and are allowed by the policy.
  std::size_t address_limit(wire::Type type) const noexcept;
  /// Writes A or AAAA of rows that were chosen with address_limit().
  Outcome chosen(const ChosenRows& choice, wire::Type type) const noexcept;
  /// Writes the addresses of an instance, which are the same for all clients.
  Outcome instance(std::uint16_t row, wire::Type type) const noexcept;

  /// Returns the TTL in seconds.
  std::uint32_t ttl() const noexcept;
  /// Writes the A or AAAA record of a row.
  /// at:      offset of the owner name in the message
  /// returns: false = the record did not fit
  bool write_address(Section section, std::uint16_t at, std::uint16_t row, wire::Type type,
                     std::uint32_t ttl) const noexcept;
  /// Returns whether slow start does not count in a tier: in panic, endpoints that serve must not get less than those
  /// that fail.
  bool is_warm(std::size_t tier) const noexcept;
};

}  // namespace meshdns::query
