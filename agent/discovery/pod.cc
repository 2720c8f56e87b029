#include "agent/discovery/pod.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/printable.h"
#include "common/kubernetes/object_reader.h"

namespace meshdns::discovery {
namespace {

using kubernetes::ObjectReader;

constexpr std::string_view kAnnotations = "meshdns.io/";
constexpr std::uint64_t kMostPort = 65535;
constexpr std::uint64_t kMostRestarts = std::uint64_t{1} << 31;  // the API's type is int32
constexpr std::uint64_t kLongestGrace = std::uint64_t{1} << 31;  // in seconds

const std::map<std::string, Pod::Phase, std::less<>> kPhases = {{"Pending", Pod::Phase::Pending},
                                                                {"Running", Pod::Phase::Running},
                                                                {"Succeeded", Pod::Phase::Succeeded},
                                                                {"Failed", Pod::Phase::Failed}};

void read_metadata(const ObjectReader& metadata, Pod& out) {
  for (const char* name : {"uid", "namespace", "name"}) {
    if (metadata.text(name).empty()) metadata.fail(name, "expected a text (got nothing)");
  }
  out.uid = metadata.text("uid");
  out.namespace_ = metadata.text("namespace");
  out.name = metadata.text("name");
  out.labels = metadata.texts("labels");
  for (auto& [name, value] : metadata.texts("annotations")) {
    if (name.starts_with(kAnnotations)) out.annotations.emplace(name.substr(kAnnotations.size()), std::move(value));
  }
  if (!metadata.has("deletionTimestamp")) return;
  out.deletion = metadata.time("deletionTimestamp");
  out.grace = std::chrono::seconds(metadata.number("deletionGracePeriodSeconds", kLongestGrace));
}

/// Adds the declared ports of a container. Ports of other protocols (SCTP) are left out: no answer can name them.
void read_ports(const ObjectReader& container, Pod& out) {
  for (const ObjectReader& port : container.list("ports")) {
    const std::string protocol = port.has("protocol") ? port.text("protocol") : "TCP";
    const auto number = static_cast<std::uint16_t>(port.number("containerPort", kMostPort));
    if (number == 0) port.fail("containerPort", "expected 1 to 65535");
    if (protocol == "TCP" || protocol == "UDP") out.ports.push_back({port.text("name"), number, protocol, ""});
  }
}

/// Reads the specification.
/// returns: the names of the containers that have to run
std::set<std::string> read_spec(const ObjectReader& spec, Pod& out) {
  std::set<std::string> names;
  out.node = spec.text("nodeName");
  out.host_network = spec.flag("hostNetwork");
  for (const ObjectReader& container : spec.list("containers")) {
    names.insert(container.text("name"));
    read_ports(container, out);
  }
  for (const ObjectReader& container : spec.list("initContainers")) {
    if (container.text("restartPolicy") != "Always") continue;
    names.insert(container.text("name"));
    read_ports(container, out);
  }
  return names;
}

void add_address(const ObjectReader& from, const char* member, Pod& out) {
  const std::string text = from.text(member);
  if (text.empty()) return;
  const auto address = IpAddress::parse(text);
  if (!address) return from.fail(member, printable(address.error().message()));
  if (std::ranges::find(out.addresses, *address) == out.addresses.end()) out.addresses.push_back(*address);
}

void read_conditions(const ObjectReader& status, Pod& out) {
  for (const ObjectReader& condition : status.list("conditions")) {
    if (condition.text("type") != "Ready") continue;
    out.ready.yes = condition.text("status") == "True";
    out.ready.why = condition.text("message");
    if (out.ready.why.empty()) out.ready.why = condition.text("reason");
    if (out.ready.yes) out.ready.why.clear();
    out.ready.since = condition.time("lastTransitionTime");
  }
}

void read_containers(const ObjectReader& status, const char* list, const std::set<std::string>& names, Pod& out) {
  for (const ObjectReader& container : status.list(list)) {
    const std::string name = container.text("name");
    if (!names.contains(name)) continue;
    out.containers[name] = {container.text("containerID"), container.number("restartCount", kMostRestarts),
                            container.object("state").has("running")};
  }
}

void read_status(const ObjectReader& status, const std::set<std::string>& names, Pod& out) {
  const auto phase = kPhases.find(status.text("phase"));
  if (phase != kPhases.end()) out.phase = phase->second;
  out.started = status.time("startTime");
  add_address(status, "podIP", out);
  for (const ObjectReader& address : status.list("podIPs")) add_address(address, "ip", out);
  read_conditions(status, out);
  read_containers(status, "containerStatuses", names, out);
  read_containers(status, "initContainerStatuses", names, out);
}

}  // namespace

Result<Pod> read_pod(const boost::json::object& object) {
  Pod out;
  std::string problem;
  const ObjectReader reader(object, problem);
  read_metadata(reader.object("metadata"), out);
  const auto names = read_spec(reader.object("spec"), out);
  read_status(reader.object("status"), names, out);
  if (!problem.empty()) return Error(Code::InvalidArgument, problem);
  return out;
}

std::string uid_of(const boost::json::object& object) {
  std::string problem;
  return ObjectReader(object, problem).object("metadata").text("uid");
}

}  // namespace meshdns::discovery
