#include <memory>

#include "agent/app/port_mapping.h"
#include "agent/mapping/machine.h"
#include "agent/mapping/nftables.h"

namespace meshdns::agent::app {

mapping::PortMapper::Machine mapping_machine() {
  // made by the first command: an agent without port mapping has no context
  const auto nftables = std::make_shared<std::unique_ptr<mapping::Nftables>>();
  return {[nftables](const std::string& commands) {
            if (!*nftables) *nftables = std::make_unique<mapping::Nftables>();
            return (*nftables)->run(commands);
          },
          [] { return mapping::look_at_machine(); }};
}

}  // namespace meshdns::agent::app
