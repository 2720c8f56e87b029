#pragma once

#include <utility>
#include <vector>

#include "common/rpc/port.h"

namespace meshdns::test {

/// A stream without a network. Keeps what was sent. With `hold_writes`, a message counts as written only when the test
/// clears `in_flight`.
template <class Out>
class FakePort : public rpc::Port<Out> {
 public:
  void send(Out message) override {
    if (closed) return;
    sent.push_back(std::move(message));
    in_flight = hold_writes;
  }
  void read_next() override { ++reads; }
  bool drained() const override { return !in_flight; }
  void close() override { closed = true; }
  void abort() override { closed = aborted = true; }

  /// Returns what was sent since the last call.
  std::vector<Out> take() { return std::exchange(sent, {}); }

  std::vector<Out> sent;
  bool hold_writes = false;  // the peer does not read
  bool in_flight = false;
  bool closed = false;
  bool aborted = false;
  int reads = 0;
};

}  // namespace meshdns::test
