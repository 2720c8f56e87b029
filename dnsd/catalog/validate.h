#pragma once

#include <optional>
#include <string>

#include "common/model/endpoint.h"

namespace meshdns::catalog {

/// Why a record of an agent is not taken.
struct Refusal {
  std::string key;
  std::string field;   // "ports[0].number"
  std::string reason;  // "must be 1 to 65535"

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

/// Nothing = the endpoint can be taken.
std::optional<Refusal> check_endpoint(const model::Endpoint& endpoint);
std::optional<Refusal> check_node(const model::Node& node);

}  // namespace meshdns::catalog
