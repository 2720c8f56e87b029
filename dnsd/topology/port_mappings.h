#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/model/records.h"
#include "dnsd/topology/endpoint_groups.h"

namespace meshdns::topology {

// How it works. An object with `mapPorts` wants each of its endpoints to be reached at the object's port number.
// Nothing of that is kept per endpoint: a change only notes the node, and of_node() reads the mappings of one node's
// endpoints off the records when somebody asks.
//
//   endpoint of a mapping object  -> its node is noted
//   mapping object                -> the nodes of its endpoints are noted, and those that it had before
//
// So a change costs what it touches. While no object maps ports, a change costs nothing.

/// A redirection that the agent of an endpoint shall make on its node: from `number` at the endpoint's addresses to the
/// port `target`.
struct WantedMapping {
  std::string endpoint;  // its key
  std::string protocol;  // TCP or UDP
  std::uint16_t number = 0;
  std::uint16_t target = 0;

  friend bool operator==(const WantedMapping&, const WantedMapping&) = default;
};

/// Knows which ports of which endpoints the objects want mapped, and at which nodes that may have changed. Used by
/// Planner, which passes on the changes. Pure.
class PortMappings {
 public:
  /// records, groups: must outlive this
  PortMappings(const model::Records& records, const EndpointGroups& groups) : records_(records), groups_(groups) {}

  /// Takes note that an endpoint came or changed, or is about to go.
  void endpoint_changed(const model::Endpoint& endpoint);
  /// Takes note that a node was added, changed or removed: it may be in another cluster now.
  void node_changed(const std::string& node);
  /// Takes note that objects were added, changed or removed. The groups must have been rebuilt since.
  /// keys: of the objects
  void objects_changed(const std::set<std::string>& keys);

  /// Returns the nodes at which something may have changed since the last call.
  std::set<std::string> take() { return std::exchange(changed_, {}); }
  /// Returns what the agent of a node shall map, by endpoint. If two objects want different targets for one number, the
  /// older object has it.
  std::vector<WantedMapping> of_node(const std::string& node) const;

 private:
  /// Returns the objects that map ports of an endpoint, the oldest first.
  std::vector<const model::VirtualDestination*> mapping(const model::Endpoint& endpoint) const;
  void add(const model::VirtualDestination& object, const model::Endpoint& endpoint,
           std::vector<WantedMapping>& out) const;

  const model::Records& records_;
  const EndpointGroups& groups_;
  std::map<std::string, std::set<std::string>> nodes_;  // by object that maps ports: the nodes with endpoints of it
  std::set<std::string> changed_;
};

}  // namespace meshdns::topology
