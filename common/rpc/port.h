#pragma once

#include <functional>

#include "common/base/result.h"

namespace meshdns::rpc {

/// A session's end of one bidirectional stream. The session lives on the control thread and outlives no event: after
/// `closed` nothing more comes. A fake stands in for it in tests.
template <class Out>
class Port {
 public:
  virtual ~Port() = default;
  /// Queues a message; the queue is bounded, and a peer that lets it fill is closed. After close() it is dropped.
  virtual void send(Out message) = 0;
  /// Asks for the next message, when the one before is handled: that is the back-pressure.
  virtual void read_next() = 0;
  /// Nothing is queued or being written.
  virtual bool drained() const = 0;
  /// Ends the stream after what is queued was written. `closed` follows.
  virtual void close() = 0;
  /// Ends the stream at once. `closed` follows.
  virtual void abort() = 0;
};

/// What happens on a stream; called on the control thread, in order, unless it says otherwise.
template <class In>
struct StreamEvents {
  /// Looks at each message first; true = it needs no handling, and the next one is read at once. It may be empty.
  /// thread: gRPC's; it must neither block nor call the port
  std::function<bool(const In&)> needs_nothing;
  std::function<void(In)> received;          // one, for each read_next()
  std::function<void()> written;             // all that was queued is written
  std::function<void(const Error&)> closed;  // the last one
};

}  // namespace meshdns::rpc
