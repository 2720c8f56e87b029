#include "common/convert/report_convert.h"

#include <algorithm>
#include <optional>

#include "common/base/utf8.h"
#include "common/base/xxh3.h"
#include "common/convert/addresses.h"
#include "common/convert/peer_bounds.h"
#include "common/model/limits.h"

namespace meshdns::convert {
namespace {

constexpr std::uint32_t kMostPort = 65535;

v1::Health::State wire_state(model::HealthState state) {
  switch (state) {
    case model::HealthState::Pending: return v1::Health::PENDING;
    case model::HealthState::Serving: return v1::Health::SERVING;
    case model::HealthState::Draining: return v1::Health::DRAINING;
    case model::HealthState::Failing: return v1::Health::FAILING;
  }
  return v1::Health::STATE_UNSPECIFIED;
}

Result<model::HealthState> model_state(v1::Health::State state) {
  switch (state) {
    case v1::Health::PENDING: return model::HealthState::Pending;
    case v1::Health::SERVING: return model::HealthState::Serving;
    case v1::Health::DRAINING: return model::HealthState::Draining;
    case v1::Health::FAILING: return model::HealthState::Failing;
    default: return Error(Code::InvalidArgument, "health.state: unknown value");
  }
}

void write_health(const model::Health& health, TimePoint now, v1::Health& out) {
  out.set_state(wire_state(health.state));
  out.set_doubtful(health.doubtful);
  out.set_in_doubt(health.in_doubt);
  out.set_detail(health.detail);
  *out.mutable_in_state() = to_wire(std::max(Duration::zero(), now - health.since));
  out.set_streak(health.streak);
  out.set_needed(health.needed);
  if (health.drain_until) *out.mutable_drain_left() = to_wire(std::max(Duration::zero(), *health.drain_until - now));
  if (health.v4) out.set_v4(wire_state(*health.v4));
  if (health.v6) out.set_v6(wire_state(*health.v6));
}

/// Converts Health.v4 or Health.v6. Nothing = the family is answered. An unknown state, from a newer agent, counts as
/// Failing.
std::optional<model::HealthState> out_state(v1::Health::State state) {
  if (state == v1::Health::STATE_UNSPECIFIED) return std::nullopt;
  const auto known = model_state(state);
  return known ? *known : model::HealthState::Failing;
}

Result<model::Health> read_health(const v1::Health& health, TimePoint now) {
  const auto state = model_state(health.state());
  if (!state) return state.error();
  model::Health out;
  out.state = *state;
  out.doubtful = health.doubtful();
  out.in_doubt = health.in_doubt();
  out.detail = utf8_prefix(health.detail(), model::kLongestDetail);
  out.since = now - from_wire(health.in_state(), Duration::zero(), kLongestState);
  out.streak = health.streak();
  out.needed = health.needed();
  if (health.has_drain_left()) {
    out.drain_until = now + from_wire(health.drain_left(), Duration::zero(), kLongestDrain);
  }
  out.v4 = out_state(health.v4());
  out.v6 = out_state(health.v6());
  if (out.v4 && out.v6) return Error(Code::InvalidArgument, "health: neither family is answered");
  return out;
}

Result<model::Ports> read_ports(const google::protobuf::RepeatedPtrField<v1::Port>& ports) {
  model::Ports out;
  for (const v1::Port& port : ports) {
    if (port.number() > kMostPort) {
      return Error(Code::InvalidArgument, "ports[" + std::to_string(out.size()) + "].number: must be 1 to 65535");
    }
    out.push_back({port.name(), static_cast<std::uint16_t>(port.number()),
                   port.protocol().empty() ? "TCP" : port.protocol(), port.app_protocol()});
  }
  return out;
}

Result<model::Memberships> read_memberships(const v1::Endpoint& endpoint) {
  model::Memberships out;
  for (const v1::Membership& each : endpoint.memberships()) {
    auto ports = read_ports(each.ports());
    if (!ports) {
      const std::string field = "memberships[" + std::to_string(out.size()) + "].";
      return Error(Code::InvalidArgument, field + ports.error().message());
    }
    out.push_back({each.service(), *std::move(ports), each.hostname(), each.exported(), each.not_ready_too()});
  }
  return out;
}

Result<model::MappedPorts> read_mapped(const v1::Endpoint& endpoint) {
  model::MappedPorts out;
  for (const v1::MappedPort& port : endpoint.mapped()) {
    if (port.number() > kMostPort || port.target() > kMostPort) {
      return Error(Code::InvalidArgument, "mapped[" + std::to_string(out.size()) + "]: a port must be 1 to 65535");
    }
    out.push_back({port.protocol(), static_cast<std::uint16_t>(port.number()),
                   static_cast<std::uint16_t>(port.target()),
                   std::string(utf8_prefix(port.problem(), model::kLongestText))});
  }
  return out;
}

}  // namespace

google::protobuf::Duration to_wire(Duration duration) {
  google::protobuf::Duration out;
  out.set_seconds(duration / 1s);
  out.set_nanos(static_cast<std::int32_t>((duration % 1s).count()));
  return out;
}

Duration from_wire(const google::protobuf::Duration& duration) {
  constexpr std::int64_t kLongest = 100LL * 365 * 24 * 3600;  // keeps sums with time points in range
  return std::chrono::seconds(std::clamp(duration.seconds(), -kLongest, kLongest)) +
         std::chrono::nanoseconds(duration.nanos());
}

Duration from_wire(const google::protobuf::Duration& duration, Duration least, Duration most) {
  return std::clamp(from_wire(duration), least, most);
}

v1::Locality to_wire(const model::Locality& place) {
  v1::Locality out;
  out.set_network(place.network);
  out.set_region(place.region);
  out.set_zone(place.zone);
  out.set_subzone(place.subzone);
  out.set_cluster(place.cluster);
  out.set_node(place.node);
  return out;
}

v1::Port to_wire(const model::Port& port) {
  v1::Port out;
  out.set_name(port.name);
  out.set_number(port.number);
  out.set_protocol(port.protocol);
  out.set_app_protocol(port.app_protocol);
  return out;
}

v1::Membership to_wire(const model::Membership& membership) {
  v1::Membership out;
  out.set_service(membership.service);
  for (const model::Port& port : membership.ports) *out.add_ports() = to_wire(port);
  out.set_hostname(membership.hostname);
  out.set_exported(membership.exported);
  out.set_not_ready_too(membership.not_ready_too);
  return out;
}

v1::MappedPort to_wire(const model::MappedPort& port) {
  v1::MappedPort out;
  out.set_protocol(port.protocol);
  out.set_number(port.number);
  out.set_target(port.target);
  out.set_problem(port.problem);
  return out;
}

v1::Endpoint to_wire(const model::Endpoint& endpoint, TimePoint now) {
  v1::Endpoint out;
  out.set_key(endpoint.key);
  out.set_uid(endpoint.uid);
  out.set_source(endpoint.source);
  out.set_namespace_(endpoint.namespace_);
  out.set_service(endpoint.service);
  out.mutable_labels()->insert(endpoint.labels.begin(), endpoint.labels.end());
  write_addresses(endpoint.addresses, *out.mutable_addresses());
  for (const model::Port& port : endpoint.ports) *out.add_ports() = to_wire(port);
  out.set_weight(endpoint.weight);
  write_health(endpoint.health, now, *out.mutable_health());
  out.set_unwatched(endpoint.unwatched);
  for (const model::Membership& each : endpoint.memberships) *out.add_memberships() = to_wire(each);
  for (const model::MappedPort& each : endpoint.mapped) *out.add_mapped() = to_wire(each);
  return out;
}

Result<model::Endpoint> from_wire(const v1::Endpoint& endpoint, const std::string& node, TimePoint now) {
  model::Endpoint out;
  if (endpoint.key().empty()) return Error(Code::InvalidArgument, "key: must not be empty");
  out.key = node + "/" + endpoint.key();
  out.uid = endpoint.uid();
  out.source = endpoint.source();
  out.namespace_ = endpoint.namespace_();
  out.service = endpoint.service();
  out.labels = model::Labels{endpoint.labels().begin(), endpoint.labels().end()};
  auto addresses = read_addresses(endpoint.addresses());
  if (!addresses) return addresses.error();
  out.addresses = std::move(*addresses);
  auto ports = read_ports(endpoint.ports());
  if (!ports) return ports.error();
  out.ports = std::move(*ports);
  out.weight = endpoint.weight();
  auto health = read_health(endpoint.health(), now);
  if (!health) return health.error();
  out.health = std::move(*health);
  out.node = node;
  out.unwatched = endpoint.unwatched();
  auto memberships = read_memberships(endpoint);
  if (!memberships) return memberships.error();
  out.memberships = *std::move(memberships);
  auto mapped = read_mapped(endpoint);
  if (!mapped) return mapped.error();
  out.mapped = *std::move(mapped);
  return out;
}

v1::Node to_wire(const model::Node& node) {
  v1::Node out;
  out.set_name(node.locality.node);
  *out.mutable_locality() = to_wire(node.locality);
  write_addresses(node.addresses, *out.mutable_addresses());
  for (const Prefix& prefix : node.prefixes) out.add_prefixes(prefix.text());
  out.set_session(node.session);
  return out;
}

Result<model::Node> from_wire(const v1::Node& node) {
  model::Node out;
  const v1::Locality& place = node.locality();
  out.locality = {place.network(), place.region(), place.zone(), place.subzone(), place.cluster(), node.name()};
  if (node.name().empty()) return Error(Code::InvalidArgument, "node.name: must not be empty");
  if (place.cluster().empty()) return Error(Code::InvalidArgument, "node.locality.cluster: must not be empty");
  out.key = place.cluster() + "/" + node.name();
  auto addresses = read_addresses(node.addresses());
  if (!addresses) return addresses.error().with_context("node");
  out.addresses = std::move(*addresses);
  for (const std::string& text : node.prefixes()) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) return prefix.error().with_context("node.prefixes");
    out.prefixes.push_back(*prefix);
  }
  out.session = node.session();
  return out;
}

std::uint64_t record_hash(std::string_view key, std::string_view bytes) {
  std::string text;
  text.reserve(key.size() + 1 + bytes.size());
  text.append(key).push_back('\0');
  text.append(bytes);
  return xxh3(text);
}

}  // namespace meshdns::convert
