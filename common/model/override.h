#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/model/objects.h"

namespace meshdns::model {

/// Most specific first: the first kind with an override for an endpoint decides.
enum class TargetKind : std::uint8_t { Endpoint, Node, Service, Zone, Cluster };

/// What an override is for.
struct Target {
  TargetKind kind = TargetKind::Endpoint;
  std::string name;

  friend auto operator<=>(const Target&, const Target&) = default;
};

/// "endpoint", "node", "service", "zone", "cluster"
std::string_view target_kind_name(TargetKind kind);
/// "node=eu1-n1"
std::string target_text(const Target& target);
/// errors: InvalidArgument, with what is known
Result<Target> parse_target(std::string_view text);

/// Strongest first: among overrides of one kind of target this order decides. Freeze is for the whole mesh: health
/// stays as it was when it came.
enum class Action : std::uint8_t { Down, Drain, Up, Freeze };
/// "Down", "Drain", "Up", "Freeze"
std::string_view action_name(Action action);
std::optional<Action> action_named(std::string_view name);

/// An operator's word about endpoints; it wins over their health.
struct Override {
  ObjectMeta meta;
  Target target;  // means nothing with Freeze
  Action action = Action::Drain;
  std::string reason;
  std::string author;
  std::int64_t expires = 0;  // unix seconds; 0 = never. Its origin takes it away then

  friend bool operator==(const Override&, const Override&) = default;
};

/// What of an endpoint overrides are matched with.
struct TargetSubject {
  const std::string& key;   // of the endpoint
  const std::string& node;  // "cluster/node"; empty = none
  const std::string& namespace_;
  const std::string& service;
  const Locality& place;
  const std::vector<IpAddress>& addresses;
  std::uint16_t port = 0;
};

/// endpoint: its key, one of its addresses, or address:port; node: "cluster/node" or "node"; service:
/// "namespace/service"; zone: "region/zone" or "zone"; cluster: its name.
bool hits(const Target& target, const TargetSubject& subject);

}  // namespace meshdns::model
