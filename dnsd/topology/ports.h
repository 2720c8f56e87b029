#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/model/endpoint.h"
#include "common/model/objects.h"
#include "dnsd/topology/host_part.h"
#include "dnsd/topology/host_plan.h"

// How it works. The result is a table of endpoints x ports: the number of each of the host's ports at each endpoint. A
// map leads from the name of a port to its column (or, with a mapping, from an endpoint's ports to their numbers). The
// table therefore costs its number of cells times the logarithm of at most 64; two nested loops over ports would cost
// 64 times 64 for each endpoint.

namespace meshdns::topology {

/// Finds the ports of a host without port mapping: the ports that its endpoints name, at most model::kMostPorts. Of
/// more names, those that more nodes have are kept, then those that come first in the alphabet, so that a node that
/// makes up names does not displace names that others have too. Of several application protocols the first endpoint's
/// counts.
class NamedPorts {
 public:
  /// endpoints: in the order of keys; must outlive this, as `part` must
  NamedPorts(const std::vector<const model::Endpoint*>& endpoints, const HostPart& part);

  /// Returns the number of each port at an endpoint, by port of take(); 0 = the endpoint lacks the port.
  std::vector<std::uint16_t> numbers_of(const model::Endpoint& endpoint) const;
  /// Returns the ports of the host, and leaves none here.
  std::vector<HostPort> take() { return std::move(ports_); }
  /// Returns the names, "_http._tcp", that exceed the limit, in alphabetical order.
  std::vector<std::string> refused() const { return refused_; }

 private:
  using Key = std::pair<std::string_view, std::string_view>;  // name and protocol

  const HostPart& part_;
  std::vector<HostPort> ports_;
  std::map<Key, std::size_t> places_;
  std::vector<std::string> refused_;
};

/// Finds the ports of a host whose object maps them to ports of its endpoints.
class MappedPorts {
 public:
  /// mapping, part: must outlive this
  MappedPorts(const std::vector<model::PortMapping>& mapping, const HostPart& part);

  /// Returns the number that each port of the mapping has at an endpoint; 0 = the endpoint lacks the port. Notes the
  /// application protocol that the endpoint states, for ports whose protocol is not known yet.
  std::vector<std::uint16_t> numbers_of(const model::Endpoint& endpoint);
  const std::vector<HostPort>& ports() const { return ports_; }
  /// Returns the ports of the host, and leaves none here.
  /// requires: numbers_of() was called for all endpoints
  std::vector<HostPort> take() { return std::move(ports_); }

 private:
  const std::vector<model::PortMapping>& mapping_;
  const HostPart& part_;
  std::vector<std::uint16_t> fixed_;  // by port: the number that is stated; 0 = a port is named
  std::vector<HostPort> ports_;
};

}  // namespace meshdns::topology
