#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/model/endpoint.h"
#include "common/model/objects.h"

namespace meshdns::model {

/// The kinds of target, most specific first: the first kind with an override that hits an endpoint decides.
enum class TargetKind : std::uint8_t { Endpoint, Node, Service, Zone, Cluster };

/// The endpoints that an override is for, as a kind and a name; see hits().
struct OverrideTarget {
  TargetKind kind = TargetKind::Endpoint;
  std::string name;

  friend auto operator<=>(const OverrideTarget&, const OverrideTarget&) = default;
};

/// Returns "endpoint", "node", "service", "zone" or "cluster".
std::string_view target_kind_name(TargetKind kind);
/// Returns the target as operators write it: "node=eu1-n1".
std::string target_text(const OverrideTarget& target);
/// Parses a target like "node=eu1-n1".
/// errors: InvalidArgument, with the list of kinds
Result<OverrideTarget> parse_target(std::string_view text);

/// The action of an override, strongest first: among overrides of one kind of target this order decides. Freeze is for
/// the whole mesh: health stays as it was when the override came.
enum class Action : std::uint8_t { Down, Drain, Up, Freeze };
/// Returns "Down", "Drain", "Up" or "Freeze".
std::string_view action_name(Action action);
/// Returns the action of that name; nothing = there is none.
std::optional<Action> action_named(std::string_view name);

/// An operator's decision about endpoints, which wins over their health.
struct Override {
  ObjectMeta meta;
  OverrideTarget target;  // ignored with Freeze
  Action action = Action::Drain;
  std::string reason;
  std::string author;
  std::int64_t expires = 0;  // unix seconds, at which the override's origin removes it; 0 = never

  friend bool operator==(const Override&, const Override&) = default;
};

/// The properties of an endpoint that targets are compared with. The referenced values must outlive this.
struct TargetSubject {
  const std::string& key;   // the endpoint's
  const std::string& node;  // "cluster/node"; empty = none
  const std::string& namespace_;
  const std::string& service;
  const Locality& place;
  const std::vector<IpAddress>& addresses;
  std::uint16_t port = 0;
  const Memberships* memberships = nullptr;  // further services of the endpoint; null = none
};

/// Whether a target means this endpoint. The name of a target is, by kind:
///   endpoint  its key, one of its addresses, or address:port
///   node      "cluster/node" or "node"
///   service   "namespace/service": any one of its services
///   zone      "region/zone" or "zone"
///   cluster   the cluster's name
bool hits(const OverrideTarget& target, const TargetSubject& subject);

}  // namespace meshdns::model
