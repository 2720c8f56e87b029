#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/names.h"
#include "common/model/objects.h"
#include "dnsd/catalog/validate.h"

namespace meshdns::catalog {

/// The names that namespaces may claim besides those of every namespace, by namespace. Each is a host name,
/// "shop.example.com", or stands for all names below one: "*.example.com".
using NamespaceRights = std::map<std::string, std::vector<std::string>, NameLess>;

/// Returns the names in the value of the annotation model::kHostsAnnotation, in lower case, without those that are no
/// names. problems: gets a text for each entry that is no name
std::vector<std::string> parse_hosts(std::string_view annotation, std::vector<std::string>& problems);

/// Decides which hosts an object of the Kubernetes API may claim. There, who may write objects in a namespace is often
/// not who runs the mesh: the object has the names of its namespace, and others only if the Namespace is annotated with
/// them. Objects of other managers are not restricted. Pure.
///
///   zone mesh.internal        *.shop.mesh.internal            names at any depth, not shop.mesh.internal itself
///   zone clusterset.local     *.shop.svc.clusterset.local     the same with the zone svc.clusterset.local
class HostRights {
 public:
  /// zones: of the server, in lower case
  HostRights(std::vector<std::string> zones, NamespaceRights further)
      : zones_(std::move(zones)), further_(std::move(further)) {}

  /// Returns why an object is refused; nothing = it may claim all its hosts.
  std::optional<Refusal> check(const model::VirtualDestination& object) const;
  /// Returns what a namespace may claim: "*.shop.mesh.internal", "shop.example.com".
  std::vector<std::string> allowed(const std::string& namespace_) const;

  friend bool operator==(const HostRights&, const HostRights&) = default;

 private:
  std::vector<std::string> zones_;
  NamespaceRights further_;
};

}  // namespace meshdns::catalog
