#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/process/event_loop.h"
#include "dnsd/federation/follower.h"

namespace grpc {
class ChannelCredentials;
}

namespace meshdns::federation {

/// Whom a replica follows, and how.
struct WatchOptions {
  std::vector<std::string> servers;  // "10.0.0.1:7400", "fed.example:7400", "unix:/run/meshdns/fed.sock"
  std::uint64_t seed = 1;            // of the back-off
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;  // null = plaintext
};

/// Holds one Watch stream open to one of several federations: the next one is tried when one is lost.
/// thread: the loop's
class WatchClient {
 public:
  WatchClient(process::EventLoop& loop, WatchOptions options, Follower& follower);
  ~WatchClient();

  void start();
  /// Ends the stream; `done` when nothing of it will touch the loop any more. Before the loop ends.
  void stop(std::function<void()> done);
  /// "fed.eu-1.example:7400", and why there is no stream
  std::string server() const;
  std::string last_error() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::federation
