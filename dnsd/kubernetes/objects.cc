#include "dnsd/kubernetes/objects.h"

#include <algorithm>
#include <utility>

#include "common/base/printable.h"
#include "common/kubernetes/object_reader.h"
#include "common/kubernetes/place_name.h"
#include "common/model/kubernetes_names.h"

namespace meshdns::kubernetes {
namespace {

constexpr const char* kExport = "meshdns.io/export";
constexpr const char* kServiceName = "kubernetes.io/service-name";
constexpr std::uint64_t kMostPort = 65535;

std::string needed(const ObjectReader& metadata, const char* member) {
  std::string out = metadata.text(member);
  if (out.empty()) metadata.fail(member, "expected a text (got nothing)");
  return out;
}

ObjectName name_of(const ObjectReader& metadata) { return {needed(metadata, "namespace"), needed(metadata, "name")}; }

template <class Object>
Result<Object> checked(Object object, const std::string& problem) {
  if (!problem.empty()) return Error(Code::InvalidArgument, problem);
  return object;
}

std::optional<bool> export_label(const ObjectReader& metadata) {
  const std::string value = metadata.object("labels").text(kExport);
  if (value == "true") return true;
  return value == "false" ? std::optional(false) : std::nullopt;
}

/// Returns the ports that an answer can name. A port without a number stands for all ports, so no record can name it.
model::Ports ports_of(const ObjectReader& slice) {
  model::Ports out;
  for (const ObjectReader& port : slice.list("ports")) {
    const std::string protocol = port.has("protocol") ? port.text("protocol") : "TCP";
    const auto number = static_cast<std::uint16_t>(port.number("port", kMostPort));
    if (number == 0 || (protocol != "TCP" && protocol != "UDP")) continue;
    out.push_back({port.text("name"), number, protocol, port.text("appProtocol")});
  }
  return out;
}

/// Returns a condition; a missing one has the value `otherwise`.
bool condition(const ObjectReader& conditions, const char* name, bool otherwise) {
  return conditions.has(name) ? conditions.flag(name) : otherwise;
}

SliceEndpoint endpoint_of(const ObjectReader& endpoint, const std::string& namespace_) {
  SliceEndpoint out;
  const auto addresses = endpoint.list_of_texts("addresses");
  const auto address = IpAddress::parse(addresses.empty() ? "" : addresses.front());
  if (!address) {
    endpoint.fail("addresses", printable(address.error().message()));
    return out;
  }
  out.address = *address;
  const ObjectReader target = endpoint.object("targetRef");
  const bool is_here = !target.has("namespace") || target.text("namespace") == namespace_;
  if (target.text("kind") == "Pod" && is_here) out.pod = target.text("uid");
  out.hostname = endpoint.text("hostname");
  out.node = endpoint.text("nodeName");
  out.zone = endpoint.text("zone");
  const ObjectReader conditions = endpoint.object("conditions");
  out.serving = condition(conditions, "serving", condition(conditions, "ready", true));
  out.terminating = condition(conditions, "terminating", false);
  return out;
}

}  // namespace

Result<Service> read_service(const boost::json::object& object) {
  Service out;
  std::string problem;
  const ObjectReader reader(object, problem);
  const ObjectReader metadata = reader.object("metadata");
  out.uid = needed(metadata, "uid");
  out.name = name_of(metadata);
  out.exported = export_label(metadata);
  const ObjectReader spec = reader.object("spec");
  out.is_external_name = spec.text("type") == "ExternalName";
  out.not_ready_too = spec.flag("publishNotReadyAddresses");
  return checked(std::move(out), problem);
}

Result<Slice> read_slice(const boost::json::object& object) {
  Slice out;
  std::string problem;
  const ObjectReader reader(object, problem);
  const ObjectReader metadata = reader.object("metadata");
  out.uid = needed(metadata, "uid");
  out.service = {needed(metadata, "namespace"), metadata.object("labels").text(kServiceName)};
  out.ports = ports_of(reader);
  out.has_names = reader.text("addressType") == "FQDN";
  if (!out.has_names) {
    for (const ObjectReader& endpoint : reader.list("endpoints")) {
      out.endpoints.push_back(endpoint_of(endpoint, out.service.namespace_));
    }
  }
  return checked(std::move(out), problem);
}

Result<NodePlace> read_node_place(const boost::json::object& object) {
  NodePlace out;
  std::string problem;
  const ObjectReader metadata = ObjectReader(object, problem).object("metadata");
  out.uid = needed(metadata, "uid");
  out.name = needed(metadata, "name");
  const ObjectReader labels = metadata.object("labels");
  out.region = place_name(labels.text(kRegionLabel));
  out.zone = place_name(labels.text(kZoneLabel));
  return checked(std::move(out), problem);
}

Result<Namespace> read_namespace(const boost::json::object& object) {
  Namespace out;
  std::string problem;
  const ObjectReader metadata = ObjectReader(object, problem).object("metadata");
  out.uid = needed(metadata, "uid");
  out.name = needed(metadata, "name");
  out.exported = export_label(metadata).value_or(false);
  out.hosts = metadata.object("annotations").text(model::kHostsAnnotation);
  return checked(std::move(out), problem);
}

Result<ServiceExport> read_service_export(const boost::json::object& object) {
  ServiceExport out;
  std::string problem;
  const ObjectReader metadata = ObjectReader(object, problem).object("metadata");
  out.uid = needed(metadata, "uid");
  out.name = name_of(metadata);
  return checked(std::move(out), problem);
}

std::string uid_in(const boost::json::object& object) {
  std::string problem;
  return ObjectReader(object, problem).object("metadata").text("uid");
}

std::string title_of(const boost::json::object& object) {
  std::string problem;
  const ObjectReader metadata = ObjectReader(object, problem).object("metadata");
  return ObjectName{metadata.text("namespace"), metadata.text("name")}.text();
}

}  // namespace meshdns::kubernetes
