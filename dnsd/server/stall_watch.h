#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace meshdns::server {

/// Finds threads that stand still, from DnsServer::ticks().
class StallWatch {
 public:
  /// Returns the indexes of threads that have made no round since the last call; the first call finds none.
  /// requires: calls are a second or more apart, because an idle thread waits for a tenth of a second
  std::vector<std::size_t> look(std::vector<std::uint64_t> ticks) {
    std::vector<std::size_t> stalled;
    for (std::size_t i = 0; i < std::min(ticks.size(), last_.size()); ++i) {
      if (ticks[i] == last_[i]) stalled.push_back(i);
    }
    last_ = std::move(ticks);
    return stalled;
  }

 private:
  std::vector<std::uint64_t> last_;
};

}  // namespace meshdns::server
