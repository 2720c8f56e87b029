#include "agent/discovery/container.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <utility>

#include "common/base/text.h"
#include "common/kubernetes/json_text.h"
#include "common/kubernetes/object_reader.h"

namespace meshdns::discovery {
namespace {

using kubernetes::ObjectReader;
using Kind = ContainerEvent::Kind;

constexpr std::string_view kPrefix = "meshdns.";
constexpr std::uint64_t kLargestPort = 65535;
constexpr const char* kWantedVersion = "1.41";
constexpr std::string_view kHealthEvent = "health_status";

// The actions of events. Podman says `died` and `remove` where Docker says `die` and `destroy`. A container that
// ends itself has only `die`; one that is stopped has `kill`, `die` and `stop`, of which `kill` may be a mere SIGHUP.
constexpr std::array<std::string_view, 5> kEnds = {"die", "died", "stop", "destroy", "remove"};
constexpr std::array<std::string_view, 5> kChanges = {"start", "restart", "unpause", "rename", "update"};

/// Reads "80/tcp"; nothing = another protocol, or no port.
std::optional<ContainerPort> port_of(std::string_view text) {
  const auto slash = text.find('/');
  const auto number = parse_uint(text.substr(0, slash));
  const std::string_view protocol = slash == std::string_view::npos ? "tcp" : text.substr(slash + 1);
  if (!number || *number == 0 || *number > kLargestPort || (protocol != "tcp" && protocol != "udp"))
    return std::nullopt;
  return ContainerPort{static_cast<std::uint16_t>(*number), protocol == "tcp" ? "TCP" : "UDP"};
}

/// Returns the names of the members of an object; none = there is no such object.
std::vector<std::string> names_in(const boost::json::object& object, std::initializer_list<const char*> path) {
  const boost::json::object* at = &object;
  for (const char* name : path) {
    at = kubernetes::object_in(*at, name);
    if (at == nullptr) return {};
  }
  std::vector<std::string> out;
  for (const auto& member : *at) out.emplace_back(member.key());
  return out;
}

std::map<std::string, std::string> mesh_labels(std::map<std::string, std::string> all) {
  std::map<std::string, std::string> out;
  for (auto& [name, value] : all) {
    if (is_mesh_label(name)) out.emplace(name.substr(kPrefix.size()), std::move(value));
  }
  return out;
}

void read_state(const ObjectReader& state, Container& out) {
  const std::string status = state.text("Status");  // `Running` is true of a container that waits for a restart, too
  out.paused = status == "paused";
  out.running = status == "running" || out.paused;
  const std::string health = state.object("Health").text("Status");
  if (health != "none") out.health = health;
}

void read_published(const ObjectReader& ports, const std::string& name, Container& out) {
  const auto port = port_of(name);
  if (!port) return;
  out.exposed.insert(*port);
  for (const ObjectReader& binding : ports.list(name)) {
    Published published;
    if (const std::string address = binding.text("HostIp"); !address.empty()) {
      const auto parsed = IpAddress::parse(address);
      if (!parsed) return binding.fail("HostIp", parsed.error().message());
      published.address = *parsed;
    }
    const auto number = parse_uint(binding.text("HostPort"));
    if (!number || *number == 0 || *number > kLargestPort) return binding.fail("HostPort", "expected a port");
    published.number = static_cast<std::uint16_t>(*number);
    out.published[*port].push_back(published);
  }
}

void read_networks(const boost::json::object& object, const ObjectReader& settings, Container& out) {
  const ObjectReader networks = settings.object("Networks");
  for (const std::string& name : names_in(object, {"NetworkSettings", "Networks"})) {
    const ObjectReader network = networks.object(name);
    std::vector<IpAddress> addresses;
    for (const char* member : {"IPAddress", "GlobalIPv6Address"}) {
      const std::string text = network.text(member);
      if (text.empty()) continue;
      const auto address = IpAddress::parse(text);
      if (address) addresses.push_back(*address);
      if (!address) network.fail(member, address.error().message());
    }
    if (!addresses.empty()) out.networks.emplace(name, std::move(addresses));
  }
}

Kind kind_of(std::string_view action) {
  const auto is_in = [&](const auto& actions) { return std::ranges::find(actions, action) != actions.end(); };
  if (is_in(kEnds)) return Kind::Ended;
  if (action == "pause") return Kind::Paused;
  if (action.starts_with(kHealthEvent)) {
    // Docker: "health_status: unhealthy"; Podman says no more than "health_status"
    return action.ends_with(" unhealthy") ? Kind::Unhealthy : Kind::Changed;
  }
  return is_in(kChanges) ? Kind::Changed : Kind::Other;
}

std::pair<std::uint64_t, std::uint64_t> parts_of(std::string_view version) {
  const auto dot = version.find('.');
  const auto minor = dot == std::string_view::npos ? std::string_view() : version.substr(dot + 1);
  return {parse_uint(version.substr(0, dot)).value_or(0), parse_uint(minor).value_or(0)};
}

}  // namespace

std::string ContainerPort::text() const { return std::to_string(number) + "/" + ascii_lower(protocol); }

bool is_mesh_label(std::string_view name) { return name.starts_with(kPrefix); }

Result<EngineVersion> read_engine_version(std::string_view body) {
  const auto object = kubernetes::parse_object(body);
  if (!object) return object.error();
  std::string problem;
  const ObjectReader reader(*object, problem);
  EngineVersion out;
  out.engine = reader.text("Version");
  const auto components = reader.list("Components");
  if (!components.empty()) out.engine = components.front().text("Name") + " " + out.engine;
  out.newest = reader.text("ApiVersion");
  out.oldest = reader.text("MinAPIVersion");
  if (problem.empty() && out.newest.empty()) problem = "ApiVersion: is missing";
  if (!problem.empty()) return Error(Code::InvalidArgument, problem);
  return out;
}

std::string api_version(const EngineVersion& engine) {
  const auto wanted = parts_of(kWantedVersion);
  if (parts_of(engine.newest) < wanted) return engine.newest;
  return parts_of(engine.oldest) > wanted ? engine.oldest : kWantedVersion;
}

Result<std::set<std::string>> read_container_list(std::string_view body) {
  const auto object = kubernetes::parse_object("{\"containers\":" + std::string(body) + "}");
  if (!object) return object.error();
  std::string problem;
  std::set<std::string> out;
  for (const ObjectReader& container : ObjectReader(*object, problem).list("containers")) {
    if (mesh_labels(container.texts("Labels")).empty()) continue;
    const std::string id = container.text("Id");
    if (id.empty()) container.fail("Id", "expected a text (got nothing)");
    out.insert(id);
  }
  if (!problem.empty()) return Error(Code::InvalidArgument, problem);
  return out;
}

Result<Container> read_container(std::string_view body) {
  const auto object = kubernetes::parse_object(body);
  if (!object) return object.error();
  std::string problem;
  const ObjectReader reader(*object, problem);
  Container out;
  out.id = reader.text("Id");
  if (out.id.empty()) reader.fail("Id", "expected a text (got nothing)");
  out.name = reader.text("Name");
  if (out.name.starts_with('/')) out.name.erase(0, 1);
  read_state(reader.object("State"), out);
  out.labels = mesh_labels(reader.object("Config").texts("Labels"));
  out.host_network = reader.object("HostConfig").text("NetworkMode") == "host";
  const ObjectReader settings = reader.object("NetworkSettings");
  for (const std::string& name : names_in(*object, {"Config", "ExposedPorts"})) {
    if (const auto port = port_of(name)) out.exposed.insert(*port);
  }
  const ObjectReader ports = settings.object("Ports");
  for (const std::string& name : names_in(*object, {"NetworkSettings", "Ports"})) read_published(ports, name, out);
  read_networks(*object, settings, out);
  if (!problem.empty()) return Error(Code::InvalidArgument, problem);
  return out;
}

Result<ContainerEvent> read_container_event(std::string_view line) {
  const auto object = kubernetes::parse_object(line);
  if (!object) return object.error();
  std::string problem;
  const ObjectReader reader(*object, problem);
  ContainerEvent out;
  if (reader.text("Type") != "container") return out;
  const ObjectReader actor = reader.object("Actor");
  out.kind = kind_of(reader.text("Action"));
  out.id = actor.text("ID");
  out.labelled = !mesh_labels(actor.texts("Attributes")).empty();
  if (!problem.empty()) return Error(Code::InvalidArgument, problem);
  return out;
}

}  // namespace meshdns::discovery
