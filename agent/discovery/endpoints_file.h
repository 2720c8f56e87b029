#pragma once

#include <string>
#include <vector>

#include "agent/discovery/discovered.h"
#include "common/config/load.h"

namespace meshdns::discovery {

/// What an entry of a file may leave out.
struct Defaults {
  std::vector<IpAddress> addresses;  // the node's
};

/// The endpoints in the text of one file of endpoints.d; keys may repeat. An endpoint without checks gets a TCP check
/// on its first TCP port. file: appears in the problems
config::Loaded<std::vector<Discovered>> read_endpoints(const std::string& text, const std::string& file,
                                                       const Defaults& defaults);

}  // namespace meshdns::discovery
