#pragma once

#include <memory>
#include <span>
#include <string>

#include "common/base/result.h"

namespace meshdns::dnstap {

/// A Frame Streams connection to a unix socket (bidirectional: READY, ACCEPT, START, frames, STOP, FINISH). Each step
/// waits a second at most: connecting, the handshake, a write, the end.
class Stream {
 public:
  static constexpr std::size_t kMostFrames = 128;  // in one write

  /// Connects to the receiver at this path.
  /// errors: Unavailable: nobody listens, or the listener does not speak Frame Streams with dnstap
  static Result<std::unique_ptr<Stream>> open(const std::string& path);
  /// Ends the stream in good order, unless the connection is broken.
  ~Stream();

  /// Writes frames.
  /// frames:  at most kMostFrames
  /// returns: false = the connection is broken, and frames are lost
  bool write(std::span<const std::string> frames);
  /// Returns the socket, to be watched: it becomes readable only when the receiver goes.
  int descriptor() const;

 private:
  struct Connection;

  Stream() = default;

  std::unique_ptr<Connection> connection_;
};

}  // namespace meshdns::dnstap
