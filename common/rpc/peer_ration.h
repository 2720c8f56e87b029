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
  static constexpr std::int64_t kInterval = 60;    // seconds
  static constexpr std::size_t kMostPeers = 1000;  // that are told apart; all further ones share their lines
  static constexpr std::size_t kMostOfAPeer = 10;  // reasons of a peer that are told apart; likewise

  /// Asks for one line.
  /// peer:         its address
  /// reason:       of any length
  /// unix_seconds: now; a clock that is set back ends the interval
  /// returns:      the number of lines about the same that were left out before this one; nothing = no line now
  std::optional<std::uint64_t> admit(const std::string& peer, const std::string& reason, std::int64_t unix_seconds);

 private:
  struct Subject {
    std::int64_t told = 0;
    std::uint64_t left_out = 0;
  };

  using Subjects = std::map<std::size_t, Subject>;  // by the hash of the reason; 0 = all further ones
  struct Peer {
    std::int64_t told = 0;  // when it asked last
    Subjects subjects;
  };

  Subjects& subjects_of(const std::string& peer, std::int64_t now);

  std::mutex mutex_;
  std::map<std::string, Peer> peers_;
  Subjects others_;
};

}  // namespace meshdns::rpc
