#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dnsd/catalog/catalog.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

/// The refused records of a message. At most kMost are listed; further ones are only counted, because a message of
/// 4 MiB may have a million of them, and refusing one costs a hundred times what sending it cost.
struct Refusals {
  static constexpr std::size_t kMost = 1000;
  static constexpr std::size_t kMostNackBytes = std::size_t{256} << 10;  // refusals in one acknowledgement

  void add(catalog::Refusal refusal) {
    ++count;
    if (listed.size() < kMost) listed.push_back(std::move(refusal));
  }
  /// Adds the listed refusals to an acknowledgement, as far as kMostNackBytes allows, and the number of the others.
  /// node:    the agent's node; agents know its endpoints by shorter keys
  /// records: show which earlier versions are kept
  void write(const std::string& node, const model::Records& records, v1::Ack& ack) const;

  std::vector<catalog::Refusal> listed;
  std::size_t count = 0;
};

/// Returns the keys of refused records.
std::set<std::string> keys_of(const std::vector<catalog::Refusal>& refused);

}  // namespace meshdns::federation
