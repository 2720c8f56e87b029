#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/model/locality.h"
#include "common/net/ip_address.h"
#include "common/net/prefix.h"

namespace meshdns::answers {

/// A name server of a zone.
struct NameServer {
  std::string name;  // "ns1.mesh.internal"
  std::vector<IpAddress> addresses;
};

/// A zone that the server answers for.
struct ZoneSettings {
  std::string name;            // "mesh.internal"
  std::vector<NameServer> ns;  // empty = ns.<zone> with AnswerSettings::own_addresses
  std::string contact;         // "ops.example.net"; empty = hostmaster.<zone>
};

/// An address where the server answers, with the place of the clients that ask there.
struct ListenerSettings {
  std::string text;          // shown to people: "10.0.9.2:53"
  model::Locality locality;  // where clients of this listener are; may be empty
};

/// A trusted forwarder. Where it sends no client subnet, its place counts only down to the granularity, because it
/// stands for many clients: Cluster keeps network, cluster and the locality of the Cluster object; Node keeps
/// everything; any other part keeps itself and all wider parts.
struct ForwarderSettings {
  Prefix prefix;
  model::Part granularity = model::Part::Cluster;
};

/// The part of the configuration that answers follow from. Everything else that shapes answers is in the records.
struct AnswerSettings {
  std::vector<ZoneSettings> zones;
  std::vector<ListenerSettings> listeners;
  model::Locality own;                   // of the server
  std::vector<IpAddress> own_addresses;  // addresses under which the server is reached
  std::vector<ForwarderSettings> forwarders;
  std::optional<std::vector<Prefix>> explain_allow;         // nothing = loopback and LocatorInput::node_prefixes
  std::string auto_hosts = "{service}.{namespace}.{zone}";  // pattern of automatic hosts; empty = there are none
  std::vector<std::string> static_records;                  // "www 60 CNAME app-b", relative to the first zone
};

}  // namespace meshdns::answers
