#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "common/model/records.h"
#include "dnsd/catalog/record_table.h"

namespace meshdns::catalog {

/// Returns whether a silent node and so many of its endpoints may be forgotten.
using MayForget = std::function<bool(const std::string& node, std::size_t endpoints)>;

/// The records that forget() has removed.
struct Forgotten {
  struct OfNode {
    std::string node;
    std::size_t endpoints = 0;
    std::size_t kept = 0;  // endpoints kept because they are the last ones of their services
    TimePoint since{};     // when the node was last heard
  };
  std::vector<OfNode> nodes;
  std::vector<model::ServiceKey> services;
};

/// Removes what Catalog::forget() says. The caller commits.
/// requires: nothing is held back
Forgotten forget(RecordTable& table, Duration forget_after, TimePoint now, const MayForget& may_forget);

}  // namespace meshdns::catalog
