#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/model/records.h"
#include "common/net/host_address.h"

// The checks that every record passes on its way into the catalog, from an agent, another federation, the store, a
// snapshot, the endpoints file or an operator. A record that passes can be compiled and fits into a DNS message. The
// limits are in common/model/limits.h.
namespace meshdns::catalog {

/// The reason why a record is refused.
struct Refusal {
  enum class Kind : std::uint8_t { Invalid, NotAllowed, OverQuota, HostNotAllowed };

  std::string key;
  std::string field;       // "ports[0].number"
  std::string reason;      // "must be 1 to 65535"
  bool no_room = false;    // the record can be taken when there is room again
  bool unwatched = false;  // the kept version has another address or port: nobody checks it
  Kind kind = Kind::Invalid;

  /// Refusals are equal if an agent reads the same in them.
  friend bool operator==(const Refusal& a, const Refusal& b) {
    return a.key == b.key && a.field == b.field && a.reason == b.reason;
  }
};

/// Returns the refusal as text: "ports[0].number: must be 1 to 65535".
std::string refusal_text(const Refusal& refusal);
/// Returns a value that a peer wrote, in quotes, cut to a readable length and without control characters.
std::string in_quotes(std::string_view value);

// Each check() returns nothing if the record can be taken.

std::optional<Refusal> check(const model::Endpoint& endpoint, Loopback loopback);
std::optional<Refusal> check(const model::Node& node, Loopback loopback);
std::optional<Refusal> check(const std::string& node, const model::NodeStatus& status);
std::optional<Refusal> check(const model::ServiceKey& service);
std::optional<Refusal> check(const std::string& cluster, const model::ClusterStatus& status);
std::optional<Refusal> check(const std::string& hostname, const model::ExternalName& name, Loopback loopback);
// The content of objects is checked where they are converted (common/convert/object_convert.h). These two check only
// what depends on this federation's setting for loopback addresses.
std::optional<Refusal> check(const model::VirtualDestination& object, Loopback loopback);
std::optional<Refusal> check(const model::Cluster& object, Loopback loopback);

}  // namespace meshdns::catalog
