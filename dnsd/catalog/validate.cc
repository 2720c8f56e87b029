#include "dnsd/catalog/validate.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/text.h"
#include "common/net/host_address.h"

namespace meshdns::catalog {
namespace {

constexpr std::size_t kMostAddresses = 16;
constexpr std::size_t kMostPorts = 64;
constexpr std::size_t kMostLabels = 64;
constexpr std::size_t kLongestText = 253;
constexpr std::uint32_t kMostWeight = 65535;

std::optional<std::string> address_problem(const std::vector<IpAddress>& addresses) {
  if (addresses.empty()) return "at least one address is needed";
  if (addresses.size() > kMostAddresses) return "more than 16 addresses";
  for (const IpAddress& address : addresses) {
    if (auto problem = not_of_one_host(address)) return problem;
  }
  return std::nullopt;
}

std::optional<Refusal> check_ports(const model::Endpoint& endpoint) {
  if (endpoint.ports.size() > kMostPorts) return Refusal{endpoint.key, "ports", "more than 64"};
  std::set<std::pair<std::string, std::string>> names;  // with their protocols: _sip._tcp and _sip._udp
  for (std::size_t i = 0; i < endpoint.ports.size(); ++i) {
    const model::Port& port = endpoint.ports[i];
    const std::string field = "ports[" + std::to_string(i) + "].";
    if (port.number == 0) return Refusal{endpoint.key, field + "number", "must be 1 to 65535"};
    if (!port.name.empty() && !is_ldh_label(port.name)) {
      return Refusal{endpoint.key, field + "name", "\"" + port.name + "\" is no DNS label"};
    }
    if (endpoint.ports.size() > 1 && port.name.empty()) {
      return Refusal{endpoint.key, field + "name", "needed where there are several ports"};
    }
    if (!names.emplace(ascii_lower(port.name), port.protocol).second)
      return Refusal{endpoint.key, field + "name", "used twice"};
    if (port.protocol != "TCP" && port.protocol != "UDP") {
      return Refusal{endpoint.key, field + "protocol", "must be TCP or UDP"};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check_labels(const model::Endpoint& endpoint) {
  if (endpoint.labels.size() > kMostLabels) return Refusal{endpoint.key, "labels", "more than 64"};
  for (const auto& [name, value] : endpoint.labels) {
    if (name.empty() || name.size() > kLongestText || value.size() > kLongestText) {
      return Refusal{endpoint.key, "labels", "names have 1 to 253 characters, values at most 253"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> check_endpoint(const model::Endpoint& endpoint) {
  const auto refuse = [&](std::string field, std::string reason) {
    return Refusal{endpoint.key, std::move(field), std::move(reason)};
  };
  if (endpoint.key.empty() || endpoint.key.size() > 4 * kLongestText) return refuse("key", "empty or too long");
  if (!is_ldh_label(endpoint.service)) return refuse("service", "\"" + endpoint.service + "\" is no DNS label");
  if (!is_ldh_label(endpoint.namespace_)) return refuse("namespace", "\"" + endpoint.namespace_ + "\" is no DNS label");
  if (const auto problem = address_problem(endpoint.addresses)) return refuse("addresses", *problem);
  if (endpoint.weight > kMostWeight) return refuse("weight", "must be 0 to 65535");
  if (auto refusal = check_ports(endpoint)) return refusal;
  return check_labels(endpoint);
}

std::optional<Refusal> check_node(const model::Node& node) {
  for (const model::Part part : model::kParts) {
    const std::string& value = node.locality.part(part);
    const bool needed = part == model::Part::Cluster || part == model::Part::Node;
    if (value.empty() && !needed) continue;
    if (part == model::Part::Node ? value.empty() || value.size() > kLongestText : !is_ldh_label(value)) {
      return Refusal{node.key, "locality." + std::string(part_name(part)), "\"" + value + "\" is no DNS label"};
    }
  }
  if (const auto problem = address_problem(node.addresses); problem && !node.addresses.empty()) {
    return Refusal{node.key, "addresses", *problem};
  }
  return std::nullopt;
}

}  // namespace meshdns::catalog
