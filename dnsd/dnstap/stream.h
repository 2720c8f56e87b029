#pragma once

#include <memory>
#include <span>
#include <string>

#include "common/base/result.h"

namespace meshdns::dnstap {

/// A Frame Streams connection (bidirectional: READY, ACCEPT, START, frames, STOP, FINISH) to a unix socket.
/// Waits for the receiver, at most a second each time: connecting, handshake, a write, the end.
class Stream {
 public:
  static constexpr std::size_t kMostFrames = 128;  // of one write

  /// errors: Unavailable: nobody listens, or who does speaks something else
  static Result<std::unique_ptr<Stream>> open(const std::string& path);
  /// Tells that this is the end, unless the connection is broken.
  ~Stream();

  /// frames: at most kMostFrames. returns: false = the connection is broken, frames are lost
  bool write(std::span<const std::string> frames);
  /// To be watched: the receiver says nothing unless it goes.
  int descriptor() const;

 private:
  struct Connection;

  Stream() = default;

  std::unique_ptr<Connection> connection_;
};

}  // namespace meshdns::dnstap
