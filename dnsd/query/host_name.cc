#include "dnsd/query/host_name.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "dnsd/query/instance_name.h"

namespace meshdns::query {
namespace {

using Kind = HostName::Kind;

constexpr std::array<std::pair<std::string_view, model::Part>, 3> kPlaces = {
    {{"_zone", model::Part::Zone}, {"_region", model::Part::Region}, {"_cluster", model::Part::Cluster}}};

std::string_view text_of(wire::NameBytes label) noexcept {
  return {reinterpret_cast<const char*>(label.data()), label.size()};
}

std::optional<model::Part> part_of(std::string_view label) noexcept {
  const auto found = std::ranges::find(kPlaces, label, &std::pair<std::string_view, model::Part>::first);
  return found == kPlaces.end() ? std::nullopt : std::optional(found->second);
}

/// Returns the number in a label such as `_8443`; 0 = it is not a number, or has leading zeros (RFC 9460 2.3).
std::uint16_t number_of(std::string_view label) noexcept {
  if (label.size() < 2 || label[0] != '_' || label[1] == '0') return 0;
  const auto number = parse_uint(label.substr(1));
  return number && *number <= 65535 ? static_cast<std::uint16_t>(*number) : std::uint16_t{0};
}

/// Returns whether some endpoint has the port, with this number unless that is 0.
bool any_has(const answers::Host& host, std::size_t port, std::uint16_t number) noexcept {
  for (std::size_t row = 0; row < host.rows().size(); ++row) {
    const std::uint16_t own = host.port_number(port, row);
    if (own != 0 && (number == 0 || own == number)) return true;
  }
  return false;
}

/// Returns whether the label is `_tcp`, `_https` or the like, with names of ports below it.
bool is_parent_of_ports(const answers::Host& host, std::string_view label) noexcept {
  if (!label.starts_with('_')) return false;
  const auto ports = host.ports();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (label == (ports[i].tcp ? "_tcp" : "_udp")) return true;
    if (ports[i].app_protocol == label.substr(1) && (ports[i].number != 0 || any_has(host, i, 0))) return true;
  }
  return false;
}

HostName read_one(const answers::Host& host, const wire::FoldedName& name) noexcept {
  const std::string_view label = text_of(name.label(0));
  if (label == "_explain") return {.kind = Kind::Explain};
  if (label == "_all") return {.kind = Kind::All};
  if (part_of(label) || is_parent_of_ports(host, label)) return {.kind = Kind::Empty};
  if (const auto row = find_instance(host, name.label(0))) return {.kind = Kind::Instance, .row = *row};
  const auto named = host.named(label);
  if (named.empty()) return {};
  return {.kind = Kind::Named, .named = named};
}

std::optional<std::size_t> find_named_port(const answers::Host& host, std::string_view label,
                                           std::string_view protocol) noexcept {
  if (!label.starts_with('_') || (protocol != "_tcp" && protocol != "_udp")) return std::nullopt;
  const auto ports = host.ports();
  const auto found = std::ranges::find_if(
      ports, [&](const auto& port) { return port.tcp == (protocol == "_tcp") && port.name == label.substr(1); });
  if (found == ports.end()) return std::nullopt;
  return static_cast<std::size_t>(found - ports.begin());
}

HostName read_two(const answers::Host& host, const wire::FoldedName& name) noexcept {
  const std::string_view label = text_of(name.label(0));
  const std::string_view parent = text_of(name.label(1));
  if ((label == "pin" || label == "prefer") && part_of(parent)) return {.kind = Kind::Empty};
  HostName out;
  out.srv = find_named_port(host, label, parent);
  const std::uint16_t number = number_of(label);
  if (number != 0 && parent.starts_with('_')) out.svcb = find_bound_port(host, number, parent.substr(1));
  if (out.srv || out.svcb) out.kind = Kind::Port;
  return out;
}

HostName read_three(const wire::FoldedName& name) noexcept {
  const std::string_view word = text_of(name.label(1));
  const auto part = part_of(text_of(name.label(2)));
  if (!part || (word != "pin" && word != "prefer") || !is_ldh_label(text_of(name.label(0)))) return {};
  HostName out;
  out.kind = word == "pin" ? Kind::Pin : Kind::Prefer;
  out.part = *part;
  out.place = name.label(0);
  return out;
}

}  // namespace

std::optional<std::size_t> find_bound_port(const answers::Host& host, std::uint16_t number,
                                           std::string_view app_protocol) noexcept {
  const auto ports = host.ports();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].app_protocol.empty() || ports[i].app_protocol != app_protocol) continue;
    if (ports[i].number == number || (ports[i].number == 0 && any_has(host, i, number))) return i;
  }
  return std::nullopt;
}

HostName read_host_name(const answers::Host& host, const wire::FoldedName& name, std::size_t below) noexcept {
  switch (below) {
    case 1: return read_one(host, name);
    case 2: return read_two(host, name);
    case 3: return read_three(name);
    default: return {};
  }
}

}  // namespace meshdns::query
