#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "agent/discovery/discovered.h"
#include "agent/probes/probe.h"
#include "common/net/socket_address.h"

namespace meshdns::test {

/// Probes of instances that exist only in a map: a probe of `address` returns answers[address] after answer_time; an
/// address that is not in the map refuses the connection. This must outlive its probes.
class FakeProbes {
 public:
  struct Run {
    SocketAddress address;
    TimePoint at{};
    Duration timeout{};
  };

  FakeProbes(const Clock& clock, Timers& timers) : clock_(clock), timers_(timers) {}

  std::map<SocketAddress, health::ProbeResult> answers;
  Duration answer_time = 1ms;
  std::vector<Run> runs;
  int open = 0;         // probes that wait for their answer
  int reconnected = 0;  // calls of reconnect()

  std::unique_ptr<probes::Probe> make(const SocketAddress& address) {
    return std::make_unique<FakeProbe>(*this, address);
  }
  /// The probe of a check that connects somewhere.
  std::unique_ptr<probes::Probe> make(const IpAddress& address, const discovery::CheckSpec& check) {
    const probes::Target& to = *probes::target_of(check.what);
    return make({to.address.value_or(address), to.port});
  }
  static discovery::CheckSpec tcp(std::uint16_t port) { return {.what = probes::TcpCheck{.to = {port, {}}}}; }

 private:
  class FakeProbe : public probes::Probe {
   public:
    FakeProbe(FakeProbes& world, SocketAddress address) : world_(world), address_(address) {}
    ~FakeProbe() override {
      if (!waiting_) return;
      world_.timers_.cancel(timer_);
      --world_.open;
    }

    void run(Duration timeout, probes::Done done) override {
      world_.runs.push_back({address_, world_.clock_.now(), timeout});
      ++world_.open;
      waiting_ = true;
      timer_ = world_.timers_.after(std::min(world_.answer_time, timeout), [this, timeout, call = std::move(done)] {
        waiting_ = false;
        --world_.open;
        call(world_.answer(address_, timeout));
      });
    }

    void reconnect() override { ++world_.reconnected; }

   private:
    FakeProbes& world_;
    SocketAddress address_;
    TimerId timer_ = 0;
    bool waiting_ = false;
  };

  health::ProbeResult answer(const SocketAddress& address, Duration timeout) const {
    if (answer_time >= timeout) return {health::Outcome::Timeout, "timeout"};
    const auto found = answers.find(address);
    if (found == answers.end()) return {health::Outcome::Refused, "connection refused"};
    return found->second;
  }

  const Clock& clock_;
  Timers& timers_;
};

}  // namespace meshdns::test
