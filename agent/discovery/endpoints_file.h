#pragma once

#include <string>
#include <vector>

#include "agent/discovery/discovered.h"
#include "common/config/load.h"

namespace meshdns::discovery {

/// Defaults for entries of a file.
struct Defaults {
  std::vector<IpAddress> addresses;  // the node's, for entries without an address
};

/// Reads the text of one file of endpoints.d. An endpoint without checks gets a TCP check on its first TCP port.
/// file:    the name that appears in problems
/// returns: the endpoints, of which several may have the same key, or all problems at once
config::Loaded<std::vector<Discovered>> read_endpoints(const std::string& text, const std::string& file,
                                                       const Defaults& defaults);
/// Returns the endpoints of a file that config::load_endpoints() has read, like read_endpoints().
config::Loaded<std::vector<Discovered>> endpoints_of(const config::v1::EndpointsFile& loaded, const std::string& file,
                                                     const Defaults& defaults);

}  // namespace meshdns::discovery
