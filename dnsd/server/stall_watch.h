#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace meshdns::server {

/// Sees from DnsServer::ticks() whether a thread stands still.
class StallWatch {
 public:
  /// Which threads have not gone round since the last look, as indices; the first look finds none.
  /// ticks: looks lie a second or more apart, since idle threads wait a tenth
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
