#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/discovery/discovered.h"

namespace meshdns::discovery {

/// The settings that the annotations of a pod give its endpoint (docs/adr/0042):
///
///   meshdns.io/service         web            the service, instead of the label of that name
///   meshdns.io/port            8080 or http   the only port of the endpoint
///   meshdns.io/weight          0 to 65535     0 = standby
///   meshdns.io/checks          tcp  http:8080/ready  http:/  tcp:http     checks of this agent, besides readiness
///   meshdns.io/check-interval  5s             of each of these checks; likewise check-timeout, check-rise, check-fall
struct PodSettings {
  /// A check whose port is still a text.
  struct Check {
    CheckSpec spec;
    std::string port;  // number or name; empty = the first TCP port
  };

  std::string service;  // empty = not given
  std::string port;     // number or name; empty = not given
  std::uint32_t weight = 1;
  std::vector<Check> checks;
  /// What is wrong, one text each: "meshdns.io/weight: expected 0 to 65535 (got many)". A wrong annotation counts as
  /// missing.
  std::vector<std::string> problems;
};

/// Reads annotations.
/// annotations: without the prefix "meshdns.io/"
PodSettings read_annotations(const std::map<std::string, std::string>& annotations);

}  // namespace meshdns::discovery
