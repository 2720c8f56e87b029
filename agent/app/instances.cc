#include "agent/app/instances.h"

#include <algorithm>
#include <set>

#include "common/model/lookup.h"

namespace meshdns::agent::app {
namespace {

/// Whether the predicate is true for what the check, or a part of the group, connects to.
template <class Predicate>
bool any_target(const probes::AnyCheck& check, Predicate predicate) {
  if (const auto* group = std::get_if<probes::GroupCheck>(&check)) {
    return std::ranges::any_of(group->parts, [&](const probes::PartCheck& part) {
      const probes::Target* target = probes::target_of(part);
      return target != nullptr && predicate(*target);
    });
  }
  const probes::Target* target = probes::target_of(check);
  return target != nullptr && predicate(*target);
}

}  // namespace

bool connects_to(const discovery::CheckSpec& check, std::uint16_t port) {
  return any_target(check.what, [port](const probes::Target& target) { return target.port == port; });
}

std::vector<std::uint16_t> ports_of(const discovery::Discovered& found) {
  std::set<std::uint16_t> out;
  for (const model::Port& port : found.endpoint.ports) out.insert(port.number);
  for (const discovery::CheckSpec& check : found.checks) {
    any_target(check.what, [&](const probes::Target& target) {
      out.insert(target.port);
      return false;  // go on to the next one
    });
  }
  return {out.begin(), out.end()};
}

bool is_behind(const SocketAddress& where, const discovery::Discovered& found) {
  const auto has_target = [&](auto predicate) {
    return std::ranges::any_of(found.checks,
                               [&](const discovery::CheckSpec& check) { return any_target(check.what, predicate); });
  };
  const auto at_port = [&](const probes::Target& target) { return where.port == 0 || target.port == where.port; };
  const bool has_port = where.port == 0 || has_target(at_port) ||
                        std::ranges::count(found.endpoint.ports, where.port, &model::Port::number) > 0;
  if (!has_port) return false;
  const auto& addresses = found.endpoint.addresses;
  if (where.ip.is_unspecified() || std::ranges::find(addresses, where.ip) != addresses.end()) return true;
  return has_target([&](const probes::Target& target) { return target.address == where.ip && at_port(target); });
}

bool is_same_instance(const model::Endpoint& known, const model::Endpoint& now) {
  const auto kept = [&](Family family) {
    const auto address = model::first_of(now.addresses, family);
    return !address || address == model::first_of(known.addresses, family);
  };
  const auto has_port = [&](const model::Port& port) {
    return std::ranges::any_of(known.ports, [&](const model::Port& other) {
      return other.number == port.number && other.protocol == port.protocol;
    });
  };
  return known.namespace_ == now.namespace_ && known.service == now.service && kept(Family::V4) && kept(Family::V6) &&
         std::ranges::any_of(now.ports, has_port);
}

}  // namespace meshdns::agent::app
