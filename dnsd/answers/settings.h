#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/model/locality.h"
#include "common/net/ip_address.h"
#include "common/net/prefix.h"

namespace meshdns::answers {

struct NameServer {
  std::string name;  // "ns1.mesh.internal"
  std::vector<IpAddress> addresses;
};

struct ZoneSettings {
  std::string name;            // "mesh.internal"
  std::vector<NameServer> ns;  // empty = ns.<zone> with Settings::own_addresses
  std::string contact;         // "ops.example.net"; empty = hostmaster.<zone>
};

struct ListenerSettings {
  std::string text;          // for people: "10.0.9.2:53"
  model::Locality locality;  // who asks here is there; may be empty
};

/// A trusted forwarder, and how finely its place counts where it sends no client subnet: it stands for many clients.
/// Cluster keeps network, cluster and what the Cluster object states; Node keeps all; the others what is as wide.
struct ForwarderSettings {
  Prefix prefix;
  model::Part granularity = model::Part::Cluster;
};

/// What of the configuration shapes the answers; the rest of what shapes them is in the records.
struct Settings {
  std::vector<ZoneSettings> zones;
  std::vector<ListenerSettings> listeners;
  model::Locality own;                   // the server's
  std::vector<IpAddress> own_addresses;  // where it is reached
  std::vector<ForwarderSettings> forwarders;
  std::optional<std::vector<Prefix>> explain_allow;         // nothing = loopback and LocatorInput::node_prefixes
  std::string auto_hosts = "{service}.{namespace}.{zone}";  // empty = off
  std::vector<std::string> static_records;                  // "www 60 CNAME app-b", relative to the first zone
};

}  // namespace meshdns::answers
