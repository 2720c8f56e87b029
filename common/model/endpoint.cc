#include "common/model/endpoint.h"

#include <xxhash.h>

#include <algorithm>

namespace meshdns::model {
namespace {

void mix(std::size_t& hash, std::uint16_t value) { hash = XXH3_64bits_withSeed(&value, sizeof value, hash); }
void mix(std::size_t& hash, const std::string& text) { hash = XXH3_64bits_withSeed(text.data(), text.size(), hash); }

}  // namespace

std::size_t SharedHash::operator()(const Labels& labels) const {
  std::size_t hash = labels.size();
  for (const auto& [name, value] : labels) {
    mix(hash, name);
    mix(hash, value);
  }
  return hash;
}

std::size_t SharedHash::operator()(const Ports& ports) const {
  std::size_t hash = ports.size();
  for (const Port& port : ports) {
    mix(hash, port.name);
    mix(hash, port.number);
    mix(hash, port.protocol);
    mix(hash, port.app_protocol);
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

std::size_t text_bytes(const Endpoint& endpoint) {
  constexpr std::size_t kEach = 16;
  std::size_t bytes = endpoint.key.size() + endpoint.uid.size() + endpoint.source.size() + endpoint.namespace_.size() +
                      endpoint.service.size() + endpoint.health.detail.size() + endpoint.addresses.size() * kEach;
  for (const auto& [name, value] : endpoint.labels) bytes += name.size() + value.size();
  for (const Port& port : endpoint.ports)
    bytes += kEach + port.name.size() + port.protocol.size() + port.app_protocol.size();
  return bytes;
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
