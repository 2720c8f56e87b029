#pragma once

#include <cstdint>
#include <span>

#include "dnsd/answers/answer_table.h"
#include "dnsd/query/choice.h"
#include "dnsd/query/random.h"
#include "dnsd/query/response.h"
#include "dnsd/wire/name.h"

namespace meshdns::query {

/// What became of a name: the negative ones still need their SOA.
enum class Outcome : std::uint8_t {
  Answered,
  NoData,
  NoDataForView,  // others may get data: to be cached as short as possible
  NxDomain,
  Truncated,
};

/// Writes what one host gives one class of clients: `set` is that class's.
/// owner: where the name that is answered for stands in the message
struct HostAnswer {
  Response& response;
  const answers::Host& host;
  const answers::Set& set;
  std::uint16_t owner;
  Random& random;
  std::size_t tier = 0;  // the one that addresses are of: an index of Host::tiers(set)

  /// A or AAAA of the tier in use (design.md section 4: one tier, never mixed; a family that it lacks is NODATA).
  Outcome addresses(wire::Type type) const noexcept;
  /// A or AAAA of every tier, nearest first
  Outcome all_addresses(wire::Type type) const noexcept;
  /// SRV, SVCB or HTTPS: every tier, with the targets' addresses as they fit
  /// port: index of Host::ports()
  /// source: RFC 2782 (priority = tier number), RFC 9460 (SvcPriority = tier number + 1)
  Outcome services(std::size_t port, wire::Type type) const noexcept;
  /// A or AAAA of these rows, which are the whole choice
  Outcome chosen(const Choice& choice, wire::Type type) const noexcept;
  /// The instance's own addresses, the same for everyone
  Outcome instance(std::uint16_t row, wire::Type type) const noexcept;

 private:
  Outcome write_addresses(std::span<const std::uint16_t> rows, wire::Type type, std::uint32_t ttl) const noexcept;
  bool write_address(Section section, std::uint16_t at, std::uint16_t row, wire::Type type,
                     std::uint32_t ttl) const noexcept;
  std::uint16_t write_service_binding(wire::Type type, std::uint16_t row,
                                      const wire::SvcbFields& fields) const noexcept;
  /// before: rows whose addresses stand there already
  void write_additional(std::uint16_t target, std::span<const std::uint16_t> before, std::uint16_t row) const noexcept;
  std::uint32_t ttl() const noexcept;
};

}  // namespace meshdns::query
