#include "common/model/endpoint.h"

#include <algorithm>

#include "common/base/xxh3.h"

namespace meshdns::model {
std::size_t SharedHash::operator()(const Labels& labels) const {
  std::size_t hash = labels.size();
  for (const auto& [name, value] : labels) hash = xxh3(value, xxh3(name, hash));
  return hash;
}

std::size_t SharedHash::operator()(const Ports& ports) const {
  std::size_t hash = ports.size();
  for (const Port& port : ports) {
    hash = xxh3(port.app_protocol, xxh3(port.protocol, xxh3(port.name, xxh3_of(port.number, hash))));
  }
  return hash;
}

std::size_t SharedHash::operator()(const Memberships& memberships) const {
  std::size_t hash = memberships.size();
  for (const Membership& each : memberships) {
    const unsigned flags = (each.exported ? 1U : 0U) | (each.not_ready_too ? 2U : 0U);
    hash = xxh3(each.hostname, xxh3(each.service, xxh3_of(flags, hash)));
    hash = xxh3_of((*this)(each.ports), hash);
  }
  return hash;
}

std::vector<IpAddress> first_of_each_family(const std::vector<IpAddress>& addresses) {
  std::vector<IpAddress> out;
  for (const IpAddress& address : addresses) {
    if (std::ranges::find(out, address.family(), &IpAddress::family) == out.end()) out.push_back(address);
  }
  return out;
}

namespace {

constexpr std::size_t kEach = 16;  // of text_bytes()

std::size_t bytes_of(const Ports& ports) {
  std::size_t bytes = 0;
  for (const Port& port : ports) bytes += kEach + port.name.size() + port.protocol.size() + port.app_protocol.size();
  return bytes;
}

}  // namespace

std::size_t text_bytes(const Endpoint& endpoint) {
  std::size_t bytes = endpoint.key.size() + endpoint.uid.size() + endpoint.source.size() + endpoint.namespace_.size() +
                      endpoint.service.size() + endpoint.health.detail.size() + endpoint.addresses.size() * kEach;
  for (const auto& [name, value] : endpoint.labels) bytes += name.size() + value.size();
  for (const Membership& each : endpoint.memberships) {
    bytes += kEach + each.service.size() + each.hostname.size() + bytes_of(each.ports);
  }
  for (const MappedPort& each : endpoint.mapped) bytes += kEach + each.problem.size();
  return bytes + bytes_of(endpoint.ports);
}

std::string_view health_state_name(HealthState state) {
  switch (state) {
    case HealthState::Pending: return "pending";
    case HealthState::Serving: return "serving";
    case HealthState::Draining: return "draining";
    case HealthState::Failing: return "failing";
  }
  return "unknown";
}

}  // namespace meshdns::model
