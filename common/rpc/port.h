#pragma once

#include <functional>

#include "common/base/result.h"

namespace meshdns::rpc {

/// A session's end of one bidirectional stream, on the control thread. The stream's StreamEvents come in order, and
/// `closed` is the last one. Tests replace it by a fake.
template <class Out>
class Port {
 public:
  virtual ~Port() = default;
  /// Queues a message. If the bounded queue is full, because the peer does not read, the stream is closed. After
  /// close() the message is dropped.
  virtual void send(Out message) = 0;
  /// Asks for the next message. The session calls this after it has handled the message before: the peer is held back
  /// meanwhile.
  virtual void read_next() = 0;
  /// Whether no message is queued or being written.
  virtual bool drained() const = 0;
  /// Ends the stream after the queued messages were written. `closed` follows.
  virtual void close() = 0;
  /// Ends the stream at once. `closed` follows.
  virtual void abort() = 0;
};

/// The callbacks of one stream. Each runs on the control thread, in order, unless its comment names another thread.
template <class In>
struct StreamEvents {
  /// Called first for each message, if set. True = the message needs no handling, and the next one is read at once.
  /// Must neither block nor call the port.
  /// thread: gRPC's
  std::function<bool(const In&)> needs_nothing;
  std::function<void(In)> received;          // one message, for each read_next()
  std::function<void()> written;             // all queued messages are written
  std::function<void(const Error&)> closed;  // the stream has ended; no event follows
};

}  // namespace meshdns::rpc
