#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/discovery/container.h"
#include "common/base/result.h"

namespace meshdns::discovery {

/// Where the ports of a container are reached.
struct ContainerReach {
  std::vector<IpAddress> addresses;
  bool published = false;                          // by `numbers`; otherwise each port has its own number
  std::map<ContainerPort, std::uint16_t> numbers;  // on the host, of the ports that are published at `addresses`

  /// Returns the number of a port at `addresses`; nothing = it is not reached there.
  std::optional<std::uint16_t> number_of(const ContainerPort& port) const;
};

/// What the labels `address` and `network` ask for.
struct ReachWish {
  std::string address;  // container or published; empty = published if the first port is, otherwise the container's own
  std::string network;  // empty = the only one
};

/// Returns where the ports of a container are reached, from other nodes too. Pure.
///
///   in the network of the host    the node's addresses
///   published                     the address that the ports are published at, by their numbers on the host
///   otherwise                     the container's own address in its network
///
/// ports: of the endpoint; not empty
/// node:  the node's addresses
/// errors: FailedPrecondition: "port 80/tcp is published on 127.0.0.1 only, which no other node reaches"
Result<ContainerReach> reach_of(const Container& container, const std::vector<ContainerPort>& ports,
                                const ReachWish& wish, const std::vector<IpAddress>& node);

}  // namespace meshdns::discovery
