#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/config/load.h"
#include "common/identity/gate.h"
#include "common/membership/member.h"
#include "common/net/host_address.h"
#include "common/rpc/tls_files.h"
#include "dnsd/answers/settings.h"
#include "dnsd/answers/zone_parser.h"
#include "dnsd/app/descriptor_budget.h"
#include "dnsd/app/kubernetes_server.h"
#include "dnsd/app/kubernetes_settings.h"
#include "dnsd/dnstap/encoder.h"
#include "dnsd/query/policy.h"
#include "dnsd/server/dns_server.h"

namespace meshdns::dnsd::app {

/// A meshdnsd.yaml that was read, checked, and converted into the settings that the parts of the daemon take.
struct Configuration {
  config::v1::Meshdnsd file;
  answers::AnswerSettings answers;
  std::vector<answers::StaticRecord> static_records;
  std::string mesh_path;                                      // of dns.endpoints_file; empty = there is none
  std::vector<config::v1::MeshNode> mesh_nodes;               // nodes of the endpoints file, with their endpoints
  std::vector<v1::Object> mesh_objects;                       // objects of the endpoints file
  std::string folder;                                         // of the configuration file
  std::optional<rpc::TlsFiles> tls;                           // of the federation or the replica; checked
  std::vector<identity::BoundAuthority> cluster_authorities;  // of the federation, with their paths

  std::uint64_t digest = 0;  // of everything that shapes answers except the endpoints file; 0 = differs from the files
  std::uint64_t mesh_digest = 0;  // of the endpoints file; 0 = there is none

  std::vector<KubernetesServer> kubernetes_clusters;  // federation.kubernetes, with the servers that it means

  /// A trusted forwarder that is a Service of this cluster.
  struct FollowedForwarder {
    std::string namespace_;
    std::string service;
    model::Part granularity{};

    friend bool operator==(const FollowedForwarder&, const FollowedForwarder&) = default;
  };
  std::vector<FollowedForwarder> followed_forwarders;
  std::optional<kubernetes::Server> forwarders_server;  // where they are followed; nothing = there are none
  KubernetesSettings kubernetes;                        // what else uses the Kubernetes API

  query::Policy policy;  // from the file; the daemon fills in NSID and cookie secrets that the file leaves out

  /// Whether this process has the role of a federation.
  bool federation() const;
  /// Returns the addresses and the number of workers of the DNS server, and its other options from the file.
  server::ServerOptions dns_options() const;
  /// Returns the configured numbers of connections; DescriptorBudget may allow fewer.
  DescriptorBudget::Wanted connections() const;
  /// Returns the identity that dnstap messages carry, without the listeners.
  dnstap::Teller dnstap_teller() const;
  /// Returns the resolvers for hostnames of external endpoints; empty = the system's resolvers.
  std::vector<SocketAddress> external_name_servers() const;
  /// Returns whether loopback addresses may be answered. They may if all records come from this machine, or, where
  /// records come from a file, if all clients are on it.
  Loopback loopback() const;
  /// Returns the path of the store's database relative to data_dir; empty = the store is in memory.
  std::string database() const;
  /// Whether this process is a replica that gets its certificate from the federation.
  bool joins() const { return file.replica().has_join(); }
  /// Returns the files in which a replica that joins keeps its certificate.
  rpc::TlsFiles member_files() const;
  /// Returns how a replica gets and renews its certificate.
  /// requires: joins()
  membership::Member member() const;
  /// Whether this federation signs its own certificate: it has an authority, and no files for TLS.
  bool signs_own() const;
  /// Returns the files of the certificate that this federation signs, and those of its authority.
  /// requires: authority()
  rpc::TlsFiles own_files() const;
  /// Returns the folder of the authority that signs certificates for agents, or of the copy of the one in
  /// federation.authority_secret; nothing = this federation signs none.
  std::optional<std::string> authority() const;
  /// Returns the path of the audit's file; empty = there is none.
  std::string audit_file() const;
  /// Returns who may do what at the federation's port.
  std::shared_ptr<const identity::Gate> gate() const;
  /// Checks whether the own certificate can be used now, and is of a federation or replica of this cluster; or, if this
  /// federation signs its own, whether its authority can be used now.
  /// errors: "FILE: why", one line for each problem; none without TLS
  Result<void> check_certificate(std::int64_t unix_seconds) const;
  /// Returns the check of the certificate of the federation that a replica follows.
  identity::ServerCheck expected_federation() const;
  Duration forget_after() const;
  Duration stale_after() const;
};

/// Returns the name of this machine.
std::string host_name();

/// Loads a configuration with the files that it names.
/// errors: all problems, one in a line, with positions (docs/config-meshdnsd.md)
Result<Configuration> load_configuration(const std::string& path);

/// Loads a configuration without the content of its endpoints file, which takes long to read if it is large. Only the
/// file's digest is computed.
Result<Configuration> load_without_endpoints(const std::string& path);
/// Reads the endpoints file of a configuration, if it names one.
Result<void> read_endpoints(Configuration& configuration);

/// Returns the configuration of `meshdnsd --dev`: loopback only, nothing is stored.
/// runtime_dir: the folder of the admin socket
Result<Configuration> dev_configuration(const std::string& runtime_dir);

}  // namespace meshdns::dnsd::app
