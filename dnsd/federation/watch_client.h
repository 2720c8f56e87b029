#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/process/event_loop.h"
#include "dnsd/federation/follower.h"

namespace meshdns::federation {

/// Holds one Watch stream open to one of several federations: the next one is tried when one is lost.
/// thread: the loop's
class WatchClient {
 public:
  WatchClient(process::EventLoop& loop, std::vector<std::string> servers, std::uint64_t seed, Follower& follower);
  ~WatchClient();

  void start();
  /// "fed.eu-1.example:7400", and why there is no stream
  std::string server() const;
  std::string last_error() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::federation
