#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/app/machine.h"
#include "common/config/load.h"
#include "common/model/endpoint.h"
#include "common/net/socket_address.h"
#include "common/rpc/tls_files.h"

namespace meshdns::app {

/// An agent.yaml, read, checked, and turned into what the parts take.
struct Configuration {
  config::v1::Agent file;
  std::string directory;       // of endpoints.d
  model::Node node;            // as the federation hears of it
  bool own_addresses = false;  // node.addresses are the machine's, not written: they follow it
  std::string instance_uid;
  std::string boot_id;
  std::optional<rpc::TlsFiles> tls;  // checked

  std::vector<std::string> servers() const {
    return {file.federation().servers().begin(), file.federation().servers().end()};
  }
  SocketAddress admin_address() const;
};

/// problems: all at once; a file that cannot be read is one
config::Loaded<Configuration> load_configuration(const std::string& path, const Machine& machine);

/// What `meshdns-agent --dev` runs with: a federation on loopback, endpoints.d in the current directory.
/// runtime_dir: where the socket goes
config::Loaded<Configuration> dev_configuration(const std::string& runtime_dir, const Machine& machine);

/// The keys whose change takes effect with a restart only: "node", "federation", ...
std::vector<std::string> restart_needed(const Configuration& before, const Configuration& now);

}  // namespace meshdns::app
