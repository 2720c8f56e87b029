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

/// How an endpoint stands, best first. Draining, Silent and Failing are `last_resort`: answered only where nothing
/// serves, and then only the best of these kinds. Out: never answered, in no tier.
enum class Standing : std::uint8_t { Serving, Draining, Silent, Failing, Out };

/// "serving", "draining", "silent", "failing", "out"
std::string_view standing_name(Standing standing);

/// `_<name>._<protocol>` of a host
struct HostPort {
  std::string name;
  std::string protocol = "TCP";
  std::uint16_t number = 0;  // what clients of A records are told to use; 0 = each endpoint's own
  std::string app_protocol;  // "https"; empty = nobody says

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// An endpoint that stands behind a host.
struct Candidate {
  std::string key;
  std::optional<IpAddress> v4;  // the first of each family, if it is answered
  std::optional<IpAddress> v6;
  std::optional<IpAddress> out;      // the first of a family whose own checks fail: for the names of the endpoint only
  std::uint16_t port = 0;            // the first one, for people
  std::vector<std::uint16_t> ports;  // by HostPlan::ports; 0 = lacks it
  model::Locality locality;
  std::uint32_t weight = 1;  // 0 = standby
  Standing standing = Standing::Serving;
  bool known = true;         // counts when the health of its tier is judged, even if it is forced down
  std::uint8_t group = 0;    // of the policy's priority groups; as many as there are = none of them
  std::uint8_t start = 100;  // percent of its weight that it gets while it is warming up (slow start)
  bool in_doubt = false;
  bool displaced = false;    // its addresses belong to others now: it is shown, and none of its names has them
  std::string why;           // for people: "http 503, 1 of 2 successes"; empty = nothing to add
  TimePoint since{};         // in this standing; TimePoint{} = nobody says since when (external endpoints)
  std::int64_t said_at = 0;  // unix seconds: since when it stands so by an operator's override; 0 = by none

  /// "10.0.0.11:8080"
  std::string address_text() const;
};

/// One host and all that its answer depends on, but for the client.
struct HostPlan {
  std::string name;    // "app-b.mesh.internal"
  std::string zone;    // "mesh.internal"
  std::string object;  // "shop/app-b"; empty = an automatic host
  model::Policy policy;
  std::vector<HostPort> ports;
  std::vector<std::string> refused_ports;  // "_http._tcp": names beyond the most that a host may have
  std::vector<Candidate> candidates;
  std::optional<TimePoint> changes_at;  // time alone makes another plan of it then; nothing = never
};

/// Some endpoints share an address and the number of a port: their SRV records are the same.
bool has_twins(const HostPlan& host);

}  // namespace meshdns::topology
