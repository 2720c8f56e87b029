#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::resources {

/// A kind of operators' objects in the Kubernetes API.
struct Kind {
  std::string_view name;      // in the Kubernetes API
  std::string_view own_name;  // everywhere else
  std::string_view plural;
  bool namespaced = false;
  std::string_view group = "/apis/meshdns.io/v1alpha1";  // path of the version of the API that has the kind

  /// Returns the path of all its objects.
  std::string path() const { return std::string(group) + "/" + std::string(plural); }
};
inline constexpr std::array kKinds = {Kind{"VirtualDestination", "VirtualDestination", "virtualdestinations", true},
                                      Kind{"MeshCluster", "Cluster", "meshclusters", false},
                                      Kind{"Override", "Override", "overrides", false}};

/// A condition as the Kubernetes API has it.
struct Condition {
  std::string type, status, reason, message;
  std::string since;                     // lastTransitionTime
  std::int64_t observed_generation = 0;  // 0 = not given

  friend bool operator==(const Condition&, const Condition&) = default;
};

/// A status as the Kubernetes API has it.
struct Status {
  std::vector<Condition> conditions;
  // only of a MeshCluster
  std::map<std::string, std::string> distances;
  std::vector<std::string> gateways_down;

  friend bool operator==(const Status&, const Status&) = default;
};

/// An object of the Kubernetes API, without its spec.
struct Resource {
  std::string key;   // "VirtualDestination/shop/app-b", "Cluster/eu-1"
  std::string path;  // of the object in the API
  std::string uid;
  std::int64_t generation = 0;
  std::int64_t created = 0;  // unix seconds
  std::string written;       // what an operator has written, as JSON
  Status status;
};

/// Reads an object of a kind.
/// errors: DataLoss: a member has another type than expected, or the object has no name or uid
Result<Resource> read_resource(const Kind& kind, const boost::json::object& object);

/// Reads what an operator has written, by the same rules as `meshdnsctl apply`, and sets `created`.
/// errors: InvalidArgument: all problems, as in "spec.hosts[0]: expected a DNS name"
Result<v1::Object> read_object(const Resource& resource);

}  // namespace meshdns::resources
