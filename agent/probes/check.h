#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/net/ip_address.h"
#include "common/time/time.h"

// What a check does, as plain values: one struct for each kind, in the order of docs/checks.md. The probe of the same
// name does it. Discovery reads these structs from files, registrations and labels.

namespace meshdns::probes {

/// Where a check connects to.
struct Target {
  std::uint16_t port = 0;
  std::optional<IpAddress> address;  // nothing = the endpoint's first address of each family

  friend bool operator==(const Target&, const Target&) = default;
};

/// The TLS of a check. Paths of files are absolute.
struct TlsOptions {
  std::string server_name;  // in SNI and in the certificate; empty = the address, without SNI
  bool verify = true;
  std::string ca;    // PEM file; empty = the machine's authorities
  std::string cert;  // PEM file of the agent's own certificate; empty = none
  std::string key;

  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

/// Codes of HTTP that are a success, both ends included.
struct StatusRange {
  int lowest = 200;
  int highest = 399;

  friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

struct TcpCheck {
  Target to;
  std::optional<TlsOptions> tls;
  std::string send;    // after connecting, or after the handshake of TLS
  std::string expect;  // bytes that must be in the first 64 KiB of what comes back; empty = nothing is read

  friend bool operator==(const TcpCheck&, const TcpCheck&) = default;
};

struct HttpCheck {
  Target to;
  std::optional<TlsOptions> tls;  // set = https
  std::string method = "GET";
  std::string path = "/";
  std::string host;  // Host header; empty = the address and port
  std::map<std::string, std::string> headers;
  std::vector<StatusRange> status = {StatusRange{}};
  std::string contains;  // must be in the first 64 KiB of the body; empty = the body is not judged
  std::string regex;     // must match somewhere in them

  friend bool operator==(const HttpCheck&, const HttpCheck&) = default;
};

struct GrpcCheck {
  Target to;
  std::optional<TlsOptions> tls;
  std::string service;  // empty = the server as a whole
  bool watch = false;

  friend bool operator==(const GrpcCheck&, const GrpcCheck&) = default;
};

struct UdpCheck {
  Target to;
  std::string send;    // the datagram's bytes
  std::string expect;  // bytes that must be in the answer; empty = only a refusal by ICMP is a failure

  friend bool operator==(const UdpCheck&, const UdpCheck&) = default;
};

struct DnsCheck {
  Target to;
  std::string name;
  std::string type = "A";
  std::string rcode = "NOERROR";
  std::optional<IpAddress> expect;  // must be in the answer
  bool tcp = false;

  friend bool operator==(const DnsCheck&, const DnsCheck&) = default;
};

struct ExecCheck {
  std::vector<std::string> command;                // argv; no shell
  std::string user;                                // empty = the agent's
  std::map<std::string, std::string> environment;  // what the program is told of the endpoint: MESHDNS_CHECK_...

  friend bool operator==(const ExecCheck&, const ExecCheck&) = default;
};

/// The service says itself how it is; what it said expires.
struct TtlCheck {
  Duration ttl = 30s;

  friend bool operator==(const TtlCheck&, const TtlCheck&) = default;
};

struct SystemdCheck {
  std::string unit;

  friend bool operator==(const SystemdCheck&, const SystemdCheck&) = default;
};

/// As healthy as the endpoints of another service on this node are.
struct AliasCheck {
  std::string namespace_;
  std::string service;

  friend bool operator==(const AliasCheck&, const AliasCheck&) = default;
};

/// Always a success: others check the endpoint.
struct NoneCheck {
  friend bool operator==(const NoneCheck&, const NoneCheck&) = default;
};

using PartCheck = std::variant<TcpCheck, HttpCheck, GrpcCheck, UdpCheck, DnsCheck, ExecCheck, TtlCheck, SystemdCheck,
                               AliasCheck, NoneCheck>;

/// Several checks that are made together and give one result: `all` needs each of them, `any` one, `quorum` a number.
struct GroupCheck {
  std::size_t needed = 1;
  std::vector<PartCheck> parts;

  friend bool operator==(const GroupCheck&, const GroupCheck&) = default;
};

using AnyCheck = std::variant<TcpCheck, HttpCheck, GrpcCheck, UdpCheck, DnsCheck, ExecCheck, TtlCheck, SystemdCheck,
                              AliasCheck, NoneCheck, GroupCheck>;

/// Where and for whom a probe makes its check.
struct Place {
  std::string endpoint;    // the endpoint's key
  std::string namespace_;  // of the endpoint, as the next
  std::string service;     // may be empty
  IpAddress address;       // where the check is made, unless it names an address; otherwise the endpoint's first one

  friend bool operator==(const Place&, const Place&) = default;
};

/// How many descriptors a check needs.
struct Descriptors {
  std::size_t running = 0;  // while it runs
  std::size_t kept = 0;     // between its runs: a connection that is kept

  friend bool operator==(const Descriptors&, const Descriptors&) = default;
};

/// Returns where the check connects to; nullptr = it is not made at an address (exec, ttl, systemd, alias, none), or at
/// several (a group).
const Target* target_of(const AnyCheck& check);
const Target* target_of(const PartCheck& check);
/// Whether the check is made once for each address family of its endpoint. A group is if a part of it is.
bool is_per_family(const AnyCheck& check);
/// Returns "tcp", "https", "quorum 2 of 3", ... for people.
std::string kind_name(const AnyCheck& check);

/// Returns "tcp" for a part of a group, as kind_name() does.
std::string kind_name(const PartCheck& check);
/// Whether the check learns something only by being made. The others are told at once: by a push, a signal, another
/// endpoint's health. A group is polled if a part of it is.
bool is_polled(const AnyCheck& check);
/// Returns at least as many descriptors as the check needs.
Descriptors descriptors_of(const AnyCheck& check);
/// Returns the services whose health the check takes: of an alias, and of the aliases in a group.
std::vector<AliasCheck> aliases_of(const AnyCheck& check);

}  // namespace meshdns::probes
