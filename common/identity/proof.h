#pragma once

#include <optional>
#include <string>

#include "common/identity/identity.h"
#include "common/net/ip_address.h"

namespace meshdns::identity {

/// What the connection of a caller shows about the caller, who asks for a certificate and may have none yet.
struct Proof {
  std::string peer;                // for the log
  std::optional<IpAddress> where;  // nothing = on this machine
  std::optional<Identity> who;     // of its certificate; nothing = it has shown none
  std::string key_hash;            // of that certificate
  bool of_pod = false;             // that certificate was given to a pod (authority::Description::of_pod)
};

}  // namespace meshdns::identity
