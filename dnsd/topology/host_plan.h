#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/locality.h"
#include "common/model/objects.h"
#include "common/net/ip_address.h"
#include "common/time/time.h"

namespace meshdns::topology {

/// The standing of an endpoint, best first. Draining, Silent and Failing are `last_resort`: such endpoints are answered
/// only where nothing serves, and then only those of the best standing. Out is never answered.
enum class Standing : std::uint8_t { Serving, Draining, Silent, Failing, Out };

/// Returns "serving", "draining", "silent", "failing" or "out".
std::string_view standing_name(Standing standing);

/// A port of a host, asked for as `_<name>._<protocol>.<host>`.
struct HostPort {
  std::string name;
  std::string protocol = "TCP";
  std::uint16_t number = 0;  // the port that clients of A and AAAA are told to use; 0 = each endpoint has its own
  std::string app_protocol;  // "https"; empty = not stated

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// An endpoint that may be answered for a host, with all that a decision needs of it.
struct Candidate {
  std::string key;
  std::optional<IpAddress> v4;  // the first address of each family, unless it fails its own checks
  std::optional<IpAddress> v6;
  std::optional<IpAddress> out;      // fails its own checks: in no answer, but the endpoint's names are made of it
  std::uint16_t port = 0;            // the first port, to be shown
  std::vector<std::uint16_t> ports;  // by HostPlan::ports; 0 = the endpoint lacks the port
  std::vector<bool> mapped{};        // by HostPlan::ports: its node redirects the port's number; empty = none of them
  model::Locality locality;
  std::uint32_t weight = 1;  // 0 = standby: answered only where nothing else serves
  Standing standing = Standing::Serving;
  bool known = true;         // counts in the health of its tier, even while it is forced down
  std::uint8_t group = 0;    // index of its priority group in the policy; the number of groups = it belongs to none
  std::uint8_t start = 100;  // percent of its weight that it gets during slow start
  bool in_doubt = false;
  bool exported = true;      // false = only clients of its own cluster see it in this host
  bool displaced = false;    // lost all its addresses to others, or has none: it is only shown
  std::string hostname{};    // its own name within the host, below the host's name; empty = none
  std::string why;           // shown to people: "http 503, 1 of 2 successes"; empty = nothing to add
  TimePoint since{};         // when it got this standing; TimePoint{} = not known (external endpoints)
  std::int64_t said_at = 0;  // unix seconds when an override gave it this standing; 0 = no override did

  /// Returns "10.0.0.11:8080".
  std::string address_text() const;
};

/// A host with everything that its answers depend on, except the client. The planner makes it, deciders and the
/// compiler read it.
struct HostPlan {
  std::string name;    // "app-b.mesh.internal"
  std::string zone;    // "mesh.internal"
  std::string object;  // "shop/app-b"; empty = an automatic host
  model::Policy policy;
  std::vector<HostPort> ports;
  std::vector<std::string> refused_ports;  // "_http._tcp": port names beyond the limit per host; they are not answered
  std::vector<Candidate> candidates;
  /// Records name the endpoints with their cluster, as Multi-Cluster Services do: web-0.eu-1.<host>.
  bool cluster_names = false;
  std::optional<TimePoint> changes_at;  // when time alone changes the plan next; nothing = never
};

/// Returns whether a client in this place sees an endpoint of a host. An endpoint that is not exported is seen in its
/// own cluster only: a client whose cluster is not known does not see it.
bool is_seen(const model::Locality& client, const Candidate& candidate);

/// Returns whether some endpoints share both an address and a port number, so that they have the same SRV record.
bool has_twins(const HostPlan& host);

}  // namespace meshdns::topology
