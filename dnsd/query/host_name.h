#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/model/locality.h"
#include "dnsd/answers/host.h"
#include "dnsd/wire/name.h"

namespace meshdns::query {

/// What a name below a host is: which of these exist follows from what is catalogued, never from health.
///
///   10-0-1-12, _all, _explain                   an instance; every one; the decision
///   _http._tcp, _8443._https                    a port, for SRV by name and for SVCB by number
///   eu-a.pin._zone, eu-a.prefer._zone           only there; there first. _region and _cluster alike, any LDH label
///   _tcp, _https, _zone, pin._zone              exist, for what is below them (RFC 8020)
struct HostName {
  enum class Kind : std::uint8_t { Missing, Empty, Instance, All, Explain, Port, Pin, Prefer };

  Kind kind = Kind::Missing;
  std::uint16_t row = 0;                 // Instance: which
  std::optional<std::size_t> srv = {};   // Port: index of Host::ports() for SRV
  std::optional<std::size_t> svcb = {};  // Port: the same for SVCB and HTTPS
  model::Part part{};                    // Pin, Prefer: of what
  wire::NameBytes place = {};            // Pin, Prefer: the region, zone or cluster, folded
};

/// below: how many labels of `name` stand before the host's own; at least 1
HostName read_host_name(const answers::Host& host, const wire::FoldedName& name, std::size_t below) noexcept;

/// The port that clients of a protocol are told to use under this number: by the mapping, else by an endpoint.
std::optional<std::size_t> find_bound_port(const answers::Host& host, std::uint16_t number,
                                           std::string_view app_protocol) noexcept;

}  // namespace meshdns::query
