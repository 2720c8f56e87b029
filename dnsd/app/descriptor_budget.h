#pragma once

#include <algorithm>
#include <cstddef>

namespace meshdns::dnsd::app {

/// The numbers of descriptors that may be connections: from DNS clients over TCP, and from agents and replicas. Without
/// these bounds one kind of peer could use up the descriptors of the process. Pure.
struct DescriptorBudget {
  static constexpr std::size_t kOther = 512;       // descriptors for everything else: listeners, HTTP, store, files
  static constexpr std::size_t kMostAuto = 65536;  // connections of a federation whose number is not configured

  std::size_t dns = 1;
  std::size_t federation = 1;
  std::size_t per_address = 1;  // connections of the federation from one address

  struct Wanted {
    std::size_t dns = 0;
    std::size_t federation = 0;   // 0 = as many as there are descriptors for
    std::size_t per_address = 0;  // 0 = three quarters of the federation's connections
  };

  /// Divides `limit`. kOther descriptors, or a quarter of a small limit, are left for everything else. DNS gets at
  /// least a third of the rest, unless it wants fewer.
  static DescriptorBudget of(std::size_t limit, const Wanted& wanted) {
    const std::size_t rest = limit - std::min(kOther, limit / 4);
    const std::size_t federation = std::min(wanted.federation == 0 ? kMostAuto : wanted.federation, rest);
    DescriptorBudget out;
    out.dns = std::max<std::size_t>(1, std::min(wanted.dns, std::max(rest / 3, rest - federation)));
    out.federation = std::max<std::size_t>(1, std::min(federation, rest - std::min(rest, out.dns)));
    const std::size_t most = wanted.per_address == 0 ? out.federation - out.federation / 4 : wanted.per_address;
    out.per_address = std::min(most, out.federation);
    return out;
  }
};

}  // namespace meshdns::dnsd::app
