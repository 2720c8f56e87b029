#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/app/machine.h"
#include "agent/discovery/machine_place.h"
#include "agent/probes/program_rules.h"
#include "common/config/load.h"
#include "common/identity/gate.h"
#include "common/kubernetes/server.h"
#include "common/membership/member.h"
#include "common/model/endpoint.h"
#include "common/net/socket_address.h"
#include "common/rpc/tls_files.h"

namespace meshdns::agent::app {

/// How to follow the pods of this node.
struct KubernetesSettings {
  kubernetes::Server server;
  std::string node;  // the Node object's name
  std::string cgroup_root;

  friend bool operator==(const KubernetesSettings&, const KubernetesSettings&) = default;
};

/// An agent.yaml that was read and checked, in the form in which the parts of the agent take it.
struct Configuration {
  config::v1::Agent file;
  std::string folder;          // of the configuration file
  std::string directory;       // the path of endpoints.d
  model::Node node;            // as reported to the federation
  bool own_addresses = false;  // the file has no addresses: node.addresses follow the machine's
  std::string instance_uid;
  std::string boot_id;
  std::optional<rpc::TlsFiles> tls;  // checked
  std::optional<KubernetesSettings> kubernetes;
  std::vector<std::string> container_sockets;  // of Docker's or Podman's API; empty = containers are not followed
  std::optional<discovery::MachinePlace> machine_place;  // with `locality: auto`; node.locality has it

  std::vector<std::string> servers() const {
    return {file.federation().servers().begin(), file.federation().servers().end()};
  }
  /// Returns the path of a file in state_dir that keeps state of this node over a restart.
  /// kind: "drains"
  std::string state_file(const std::string& kind) const;
  SocketAddress admin_address() const;
  probes::ProgramRules programs() const;
  /// Whether this agent gets its certificate from the federation; otherwise it has files of its own, or none.
  bool joins() const { return file.federation().has_join(); }
  /// Returns how this agent gets and renews its certificate.
  /// requires: joins()
  membership::Member member() const;
  bool maps_ports() const { return file.port_mapping() == "on"; }
  /// Whether all servers are on this machine, by what the file says: unix sockets and loopback addresses.
  bool federation_is_here() const;
  /// Returns the ports of the federation and of this agent's admin server, as far as the configuration has numbers.
  std::set<std::uint16_t> mesh_ports() const;
  /// Checks whether the own certificate can be used now, and is of this node.
  /// errors: "FILE: why", one line for each problem; none without TLS
  Result<void> check_certificate(std::int64_t unix_seconds) const;
  /// Returns the check of the federation's certificate.
  identity::ServerCheck expected_federation() const;
};

/// Reads and checks an agent.yaml.
/// returns: the configuration, or all its problems at once; a file that cannot be read is one problem
config::Loaded<Configuration> load_configuration(const std::string& path, const Machine& machine);

/// Returns the configuration of `meshdns-agent --dev`: a federation on loopback, endpoints.d in the current directory.
/// runtime_dir: the folder of the admin socket
config::Loaded<Configuration> dev_configuration(const std::string& runtime_dir, const Machine& machine);

/// Returns the keys that differ and whose change needs a restart: "node", "federation", ...
std::vector<std::string> restart_needed(const Configuration& before, const Configuration& now);

}  // namespace meshdns::agent::app
