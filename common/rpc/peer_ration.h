#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace meshdns::rpc {

/// Bounds the log lines that peers cause by connections that are refused: one in each interval for the same peer and
/// reason. Whoever tries again and again, as a misconfigured agent does, hides nobody else.
/// thread: any
class PeerRation {
 public:
  static constexpr std::int64_t kInterval = 60;       // seconds
  static constexpr std::size_t kMostSubjects = 1000;  // that are told apart; all further ones share one line

  /// Asks for one line.
  /// about:        the peer and the reason
  /// unix_seconds: now; a clock that is set back ends the interval
  /// returns:      the number of lines about the same that were left out before this one; nothing = no line now
  std::optional<std::uint64_t> admit(const std::string& about, std::int64_t unix_seconds);

 private:
  struct Subject {
    std::int64_t told = 0;
    std::uint64_t left_out = 0;
  };

  Subject& subject(const std::string& about, std::int64_t now);

  std::mutex mutex_;
  std::map<std::string, Subject> subjects_;
  Subject others_;
};

}  // namespace meshdns::rpc
