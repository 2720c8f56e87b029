#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/model/endpoint.h"
#include "common/model/objects.h"
#include "dnsd/topology/host_plan.h"

// How it works. The ports of a host and the number of each at each endpoint make a table of endpoints x ports. Each
// endpoint's own ports are looked up in a map of the host's ports (or the other way round), never one list inside the
// other, so that the table costs what it has cells, times the logarithm of at most 64.

namespace meshdns::topology {

/// The ports of a host without port mapping: those that its endpoints name, at most model::kMostPorts of them. Of more
/// names those have a place that more nodes have, then those that come first in the alphabet: one node that makes up
/// names takes no place from names that others have too. The first endpoint that states an application protocol is
/// believed.
class NamedPorts {
 public:
  /// endpoints: by key; they must outlive this
  explicit NamedPorts(const std::vector<const model::Endpoint*>& endpoints);

  /// Returns the number of each port at an endpoint; 0 = it lacks the port.
  std::vector<std::uint16_t> numbers_of(const model::Endpoint& endpoint) const;
  std::vector<HostPort> take() { return std::move(ports_); }
  /// The names, "_http._tcp", that got no place; in order.
  std::vector<std::string> refused() const { return refused_; }

 private:
  using Key = std::pair<std::string_view, std::string_view>;  // name and protocol

  std::vector<HostPort> ports_;
  std::map<Key, std::size_t> places_;
  std::vector<std::string> refused_;
};

/// The ports of a host as an object maps them to those of its endpoints.
class MappedPorts {
 public:
  /// mapping: must outlive this
  explicit MappedPorts(const std::vector<model::PortMapping>& mapping);

  /// Returns the number that each port leads to at an endpoint; 0 = it has no such port. An application protocol that
  /// the mapping does not state is that of the first endpoint whose port states one.
  std::vector<std::uint16_t> numbers_of(const model::Endpoint& endpoint);
  std::vector<HostPort> take() { return std::move(ports_); }

 private:
  const std::vector<model::PortMapping>& mapping_;
  std::vector<std::uint16_t> fixed_;  // by port: the number that the mapping states; 0 = it names a port
  std::vector<HostPort> ports_;
};

}  // namespace meshdns::topology
