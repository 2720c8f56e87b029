#include "dnsd/explain/subject.h"

#include <optional>
#include <string_view>

#include "common/base/hint.h"
#include "common/model/host_name.h"
#include "dnsd/query/host_name.h"

namespace meshdns::explain {
namespace {

using Kind = query::HostName::Kind;

// The longest name below a host is `<place>.pin._zone`.
constexpr std::size_t kMostBelow = 3;

std::string text_of(wire::NameBytes label) { return {reinterpret_cast<const char*>(label.data()), label.size()}; }

std::string address_text(const answers::Host& host, std::uint16_t row) {
  std::string out;
  const answers::EndpointTraits& endpoint = host.traits(row);
  if (endpoint.has_v4) out = IpAddress::v4_bytes(host.rows()[row].v4).text();
  if (endpoint.has_v6) out += (out.empty() ? "" : " and ") + IpAddress::v6_bytes(host.v6(row)).text();
  return out;
}

std::string port_role(const query::HostName& name) {
  if (name.srv && name.svcb) return "gives SRV, SVCB and HTTPS records of every tier";
  return name.srv ? "gives SRV records of every tier" : "gives SVCB and HTTPS records of every tier";
}

std::string named_role(const answers::Host& host, const query::HostName& name) {
  if (name.named.size() > 1) return "gives the closest instance of that name, in any state";
  return "gives " + address_text(host, name.named.front().row) + " to every client, in any state";
}

/// Returns what a name below a host is for; empty = the name does not exist.
std::string role_of(const answers::Host& host, const query::HostName& name) {
  const std::string place = std::string(model::part_name(name.part)) + " " + text_of(name.place);
  switch (name.kind) {
    case Kind::Missing: return "";
    case Kind::Empty: return "has no records; names below it have";
    case Kind::Instance: return "gives " + address_text(host, name.row) + " to every client, in any state";
    case Kind::Named: return named_role(host, name);
    case Kind::All: return "gives the addresses of every tier";
    case Kind::Explain: return "gives what is below as TXT records";
    case Kind::Port: return port_role(name);
    case Kind::Pin: return "gives only endpoints in " + place;
    case Kind::Prefer: return "gives endpoints in " + place + " while one serves there, else what is below";
  }
  return "";
}

/// Returns what a name below a published host is for; empty = DNS does not have the name.
/// below: labels of `name` before the host's
std::string role_below(const Scene& scene, const std::string& name, std::size_t below) {
  const auto bytes = wire::parse_name(name);
  if (!bytes) return "";
  wire::FoldedName folded;
  wire::fold_name(*bytes, folded);
  const wire::NameBytes parent = folded.suffix(below);
  const answers::Host* host = scene.table.find(parent, wire::hash_name(parent)).host;
  return host == nullptr ? "" : role_of(*host, query::read_host_name(*host, folded, below));
}

}  // namespace

Result<Subject> subject_of(const Scene& scene, const std::string& name) {
  const std::string key = model::host_key(name);
  if (scene.planner.plan(key, scene.now)) return Subject{key, ""};
  std::size_t at = 0;
  for (std::size_t below = 1; below <= kMostBelow; ++below) {
    at = key.find('.', at);
    if (at == std::string::npos) break;
    const std::string host = key.substr(++at);
    if (!scene.planner.plan(host, scene.now)) continue;
    const std::string role = role_below(scene, key, below);
    if (!role.empty()) return Subject{host, key + " " + role};
    return Error(Code::NotFound, "no host " + key + " is defined; " + host + " is, but has no such name below it");
  }
  return Error(Code::NotFound, "no host " + key + " is defined" + hint(scene.planner.similar_host(key)));
}

}  // namespace meshdns::explain
