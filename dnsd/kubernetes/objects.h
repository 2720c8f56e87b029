#pragma once

#include <boost/json/fwd.hpp>
#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/endpoint.h"
#include "common/net/ip_address.h"

// The parts of Kubernetes' objects that decide which endpoints a cluster has, and in which services. Members that are
// missing or null are empty. Each reader returns InvalidArgument for a member of another type or form than expected,
// with the path of the member.
namespace meshdns::kubernetes {

/// The name of an object within its cluster. The namespace of a Node or a Namespace is empty.
struct ObjectName {
  std::string namespace_;
  std::string name;

  /// Returns "namespace/name", or the name alone.
  std::string text() const { return namespace_.empty() ? name : namespace_ + "/" + name; }
  friend auto operator<=>(const ObjectName&, const ObjectName&) = default;
};

/// A Service. Its ports are not read: EndpointSlices have them with the numbers of the endpoints.
struct Service {
  std::string uid;
  ObjectName name;
  bool is_external_name = false;  // type ExternalName: the Service is an alias, and has no endpoints
  bool not_ready_too = false;     // spec.publishNotReadyAddresses
  std::optional<bool> exported;   // the label meshdns.io/export: "true" or "false"; nothing = it says neither

  friend bool operator==(const Service&, const Service&) = default;
};
Result<Service> read_service(const boost::json::object& object);

/// One endpoint of an EndpointSlice.
struct SliceEndpoint {
  IpAddress address;     // the first one: the API gives the others no meaning
  std::string pod;       // uid of targetRef, if that is a Pod; empty = the endpoint is no pod
  std::string hostname;  // the pod's own name within the Service
  std::string node;      // nodeName
  std::string zone;
  // The conditions. Missing ones have the values that the API gives them: ready, serving like ready, not terminating.
  bool serving = true;
  bool terminating = false;

  friend bool operator==(const SliceEndpoint&, const SliceEndpoint&) = default;
};

/// An EndpointSlice.
struct Slice {
  std::string uid;
  ObjectName service;      // the label kubernetes.io/service-name; an empty name = the slice is of no Service
  bool has_names = false;  // addressType FQDN: the addresses are names, and `endpoints` is empty
  model::Shared<model::Ports> ports;  // those of TCP and UDP
  std::vector<SliceEndpoint> endpoints;

  friend bool operator==(const Slice&, const Slice&) = default;
};
Result<Slice> read_slice(const boost::json::object& object);

/// The metadata of a Node.
struct NodePlace {
  std::string uid;
  std::string name;
  std::string region;  // label topology.kubernetes.io/region, as a name of ours; may be empty
  std::string zone;    // label topology.kubernetes.io/zone, likewise

  friend bool operator==(const NodePlace&, const NodePlace&) = default;
};
Result<NodePlace> read_node_place(const boost::json::object& object);

/// The metadata of a Namespace.
struct Namespace {
  std::string uid;
  std::string name;
  bool exported = false;  // the label meshdns.io/export: "true"
  std::string hosts;      // the annotation meshdns.io/hosts as it is written; empty = none

  friend bool operator==(const Namespace&, const Namespace&) = default;
};
Result<Namespace> read_namespace(const boost::json::object& object);

/// A ServiceExport: the Service of its name is exported.
struct ServiceExport {
  std::string uid;
  ObjectName name;

  friend bool operator==(const ServiceExport&, const ServiceExport&) = default;
};
Result<ServiceExport> read_service_export(const boost::json::object& object);

/// Returns the uid of any object of the API; empty = it has none.
std::string uid_in(const boost::json::object& object);
/// Returns "namespace/name" of any object of the API, for texts.
std::string title_of(const boost::json::object& object);

}  // namespace meshdns::kubernetes
