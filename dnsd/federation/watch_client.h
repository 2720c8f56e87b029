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

/// The federations that a replica may follow, and how it connects to them.
struct WatchOptions {
  std::vector<std::string> servers;  // "10.0.0.1:7400", "fed.example:7400", "unix:/run/meshdns/fed.sock"
  std::uint64_t seed = 1;            // of the back-off's random part
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;  // null = plaintext
};

/// Keeps one Watch stream open to one of several federations. When the stream is lost, tries the next federation after
/// a back-off. The loop and the follower must outlive this.
/// thread: the loop's
class WatchClient {
 public:
  WatchClient(process::EventLoop& loop, WatchOptions options, Follower& follower);
  ~WatchClient();

  void start();
  /// Ends the stream, and calls `done` when nothing of it will touch the loop any more. Call it before the loop ends.
  void stop(std::function<void()> done);
  /// The federation that is connected or tried next, like "fed.eu-1.example:7400".
  std::string server() const;
  /// The reason why the last attempt failed or the last stream ended.
  std::string last_error() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::federation
