#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/config/load.h"
#include "common/net/host_address.h"
#include "common/rpc/tls_files.h"
#include "dnsd/answers/settings.h"
#include "dnsd/answers/zone_parser.h"
#include "dnsd/app/descriptor_budget.h"
#include "dnsd/dnstap/encoder.h"
#include "dnsd/query/policy.h"
#include "dnsd/server/dns_server.h"

namespace meshdns::app {

/// A meshdnsd.yaml, read, checked, and turned into what the parts take. What it says twice it says here once.
struct Configuration {
  config::v1::Meshdnsd file;
  answers::Settings answers;
  std::vector<answers::StaticRecord> static_records;
  std::string mesh_path;                         // of dns.endpoints_file
  std::vector<config::v1::MeshNode> mesh_nodes;  // what it says
  std::vector<v1::Object> mesh_objects;
  std::optional<rpc::TlsFiles> tls;  // of the federation or the replica; checked

  std::uint64_t digest = 0;       // of all that answers follow from, but for the endpoints file; 0 = not of the files
  std::uint64_t mesh_digest = 0;  // of that; 0 = there is none

  query::Policy policy;  // as the file has it: NSID and cookie secrets may be left to the daemon

  bool federation() const;  // the role
  /// Where DNS is served, and with how many workers.
  server::ServerOptions dns_options() const;
  /// How many connections there may be, if there are descriptors for them.
  DescriptorBudget::Wanted connections() const;
  /// Who tells by dnstap, but for the listeners.
  dnstap::Teller dnstap_teller() const;
  /// Who resolves hostnames of external endpoints; empty = the system's resolvers.
  std::vector<SocketAddress> external_name_servers() const;
  /// Whether loopback addresses may be answered: where records come from, or else who asks, is on this machine only.
  Loopback loopback() const;
  /// Path of the store's database, from data_dir on; empty = the store is in memory.
  std::string database() const;
  Duration forget_after() const;
  Duration stale_after() const;
};

/// This machine's name.
std::string host_name();

/// errors: everything that is wrong, a line each, as docs/config-meshdnsd.md has it
Result<Configuration> load_configuration(const std::string& path);

/// The same, but that read_endpoints() is left to do: of a large file it takes long.
Result<Configuration> load_without_endpoints(const std::string& path);
Result<void> read_endpoints(Configuration& configuration);

/// What `meshdnsd --dev` runs with: loopback only, nothing stored. runtime_dir: where sockets go
Result<Configuration> dev_configuration(const std::string& runtime_dir);

}  // namespace meshdns::app
