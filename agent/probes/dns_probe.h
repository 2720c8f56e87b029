#pragma once

#include <cstdint>
#include <memory>
#include <random>

#include "agent/probes/check.h"
#include "agent/probes/probe.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Asks a DNS server one question and judges its answer. Over UDP, a truncated answer is asked for again over TCP, as
/// every resolver does (RFC 7766 5). Datagrams that are no answer to the question are ignored. `loop` must outlive the
/// probe.
class DnsProbe : public Probe {
 public:
  /// seed: of the questions' ids
  DnsProbe(process::EventLoop& loop, const SocketAddress& where, DnsCheck check, std::uint64_t seed);
  ~DnsProbe() override;

  /// Starts a check. If one is running, the new one replaces it, and the first `done` is not called.
  void run(Duration timeout, Done done) override;

 private:
  class Attempt;
  std::uint16_t next_id() { return static_cast<std::uint16_t>(ids_() >> 8); }

  process::EventLoop& loop_;
  SocketAddress where_;
  DnsCheck check_;
  std::minstd_rand ids_;
  std::unique_ptr<Attempt> attempt_;
};

}  // namespace meshdns::probes
