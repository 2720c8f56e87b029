#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "common/model/locality.h"
#include "dnsd/answers/host.h"
#include "dnsd/wire/name.h"

namespace meshdns::query {

/// A name below a host. Its existence follows from the catalog, never from health.
///
///   10-0-1-12, _all, _explain                   an instance; all endpoints; the decision
///   web-0                                       an instance by the name that it has itself (a StatefulSet's pod)
///   _http._tcp, _8443._https                    a port: for SRV by name, for SVCB by number
///   eu-a.pin._zone, eu-a.prefer._zone           only endpoints there; those first. Also _region, _cluster; any LDH
///   label
///   _tcp, _https, _zone, pin._zone              empty, but they exist because names are below them (RFC 8020)
struct HostName {
  enum class Kind : std::uint8_t { Missing, Empty, Instance, Named, All, Explain, Port, Pin, Prefer };

  Kind kind = Kind::Missing;
  std::uint16_t row = 0;                 // Instance: its row
  std::span<const answers::Hostnames::Entry> named = {};  // Named: its rows, at least one
  std::optional<std::size_t> srv = {};   // Port: index of Host::ports() for SRV
  std::optional<std::size_t> svcb = {};  // Port: index of Host::ports() for SVCB and HTTPS
  model::Part part{};                    // Pin, Prefer: Zone, Region or Cluster
  wire::NameBytes place = {};            // Pin, Prefer: the region, zone or cluster, folded
};

/// Returns what a name below a host is.
/// below: the number of labels before the host's name, at least 1
HostName read_host_name(const answers::Host& host, const wire::FoldedName& name, std::size_t below) noexcept;

/// Returns the port that clients of an application protocol use under this number: stated by the mapping, otherwise by
/// an endpoint.
/// returns: index of Host::ports()
std::optional<std::size_t> find_bound_port(const answers::Host& host, std::uint16_t number,
                                           std::string_view app_protocol) noexcept;

}  // namespace meshdns::query
