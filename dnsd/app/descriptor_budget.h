#pragma once

#include <algorithm>
#include <cstddef>

namespace meshdns::app {

/// How many of a process's descriptors may be connections: of DNS clients over TCP, and of agents and replicas.
struct DescriptorBudget {
  static constexpr std::size_t kOther = 512;       // sockets of DNS, HTTP, the store, files
  static constexpr std::size_t kMostAuto = 65536;  // connections where none are configured

  std::size_t dns = 1;
  std::size_t federation = 1;
  std::size_t per_address = 1;  // of the federation's

  struct Wanted {
    std::size_t dns = 0;
    std::size_t federation = 0;   // 0 = as many as there are descriptors for
    std::size_t per_address = 0;  // 0 = three quarters of them
  };

  /// Divides `limit`. A quarter of a small limit is left for all else, and DNS has at least a third of the rest if it
  /// wants so many.
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

}  // namespace meshdns::app
