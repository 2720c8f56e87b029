#pragma once

#include <optional>
#include <string>

#include "common/model/records.h"
#include "common/net/host_address.h"

// The one check of a record, whichever way it comes into the catalog: from an agent, another federation, the store, a
// snapshot, the endpoints file or an operator. What passes can be compiled and fits into a message. The limits are
// those of common/model/limits.h.
namespace meshdns::catalog {

/// Why a record is not taken.
struct Refusal {
  std::string key;
  std::string field;       // "ports[0].number"
  std::string reason;      // "must be 1 to 65535"
  bool no_room = false;    // it can be taken when there is room again
  bool unwatched = false;  // the version that was kept is of another address or port: nobody checks that one

  /// Refusals are equal if they tell the agent the same.
  friend bool operator==(const Refusal& a, const Refusal& b) {
    return a.key == b.key && a.field == b.field && a.reason == b.reason;
  }
};

/// "ports[0].number: must be 1 to 65535"
std::string refusal_text(const Refusal& refusal);
/// A value that somebody else wrote, in quotes: cut to what a person reads, and without control characters.
std::string in_quotes(std::string_view value);

// Each returns nothing if the record can be taken.

std::optional<Refusal> check(const model::Endpoint& endpoint, Loopback loopback);
std::optional<Refusal> check(const model::Node& node, Loopback loopback);
std::optional<Refusal> check(const std::string& node, const model::NodeStatus& status);
std::optional<Refusal> check(const model::ServiceKey& service);
std::optional<Refusal> check(const std::string& cluster, const model::ClusterStatus& status);
std::optional<Refusal> check(const std::string& hostname, const model::ExternalName& name, Loopback loopback);
// What an object says is checked where it is converted (common/convert/object_convert.h); only what depends on where
// this federation is reached is left.
std::optional<Refusal> check(const model::VirtualDestination& object, Loopback loopback);
std::optional<Refusal> check(const model::Cluster& object, Loopback loopback);

}  // namespace meshdns::catalog
