#pragma once

#include <optional>
#include <string>

#include "common/model/endpoint.h"

namespace meshdns::catalog {

/// Why a record of an agent is not taken.
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

/// Nothing = the endpoint can be taken.
std::optional<Refusal> check_endpoint(const model::Endpoint& endpoint);
std::optional<Refusal> check_node(const model::Node& node);

}  // namespace meshdns::catalog
