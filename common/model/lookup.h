#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "common/model/records.h"
#include "common/net/ip_address.h"

namespace meshdns::model {

/// Returns the federation's judgement of a node; null = there is none, and the node is heard. The pointer is valid
/// until the status changes.
inline const NodeStatus* status_of(const Records& records, const std::string& node) {
  const auto found = records.statuses.find(node);
  return found == records.statuses.end() ? nullptr : &found->second;
}

/// Whether the federation judges a node as silent.
inline bool is_silent(const Records& records, const std::string& node) {
  const NodeStatus* status = status_of(records, node);
  return status != nullptr && status->silent;
}

/// Returns the first address of one family: the address that is checked and answered.
inline std::optional<IpAddress> first_of(const std::vector<IpAddress>& addresses, Family family) {
  const auto found = std::ranges::find(addresses, family, &IpAddress::family);
  return found == addresses.end() ? std::nullopt : std::optional(*found);
}

}  // namespace meshdns::model
