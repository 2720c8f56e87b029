#include "agent/probes/udp_probe.h"

#include <algorithm>
#include <utility>

#include "agent/probes/datagrams.h"
#include "agent/probes/failed_probe.h"
#include "common/base/printable.h"

namespace meshdns::probes {

/// A running check; its destructor ends it without a result.
class UdpProbe::Attempt {
 public:
  Attempt(UdpProbe& probe, Duration timeout, Done done)
      : probe_(probe),
        timeout_(timeout),
        done_(std::move(done)),
        socket_(probe.loop_, probe.where_,
                {.received = [this](std::string_view answer) { finish(judge(answer)); },
                 .failed = [this](const Error& error) { fail(error); }}) {
    const bool any = probe.check_.expect.empty();
    timer_ = probe.loop_.after(any ? std::min(timeout, kLongestSilence) : timeout, [this] { on_silence(); });
    socket_.send(probe.check_.send);
  }
  ~Attempt() { probe_.loop_.cancel(timer_); }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

 private:
  void on_silence() {
    if (probe_.check_.expect.empty()) return finish({.outcome = health::Outcome::Success});
    fail({Code::DeadlineExceeded, "timeout"});
  }

  health::ProbeResult judge(std::string_view answer) const {
    constexpr std::size_t kShown = 64;  // bytes
    const std::string& expected = probe_.check_.expect;
    if (answer.find(expected) != std::string_view::npos) return {.outcome = health::Outcome::Success};
    return {health::Outcome::Failure, "unexpected answer: " + printable(answer.substr(0, kShown))};
  }

  void fail(const Error& error) { finish(failed_probe(error, timeout_, has_route(probe_.where_))); }

  /// Destroys this attempt before it reports, so that `done` may start the next check or destroy the probe.
  void finish(const health::ProbeResult& result) {
    const Done call = std::move(done_);
    probe_.attempt_.reset();  // deletes this object
    call(result);
  }

  UdpProbe& probe_;
  Duration timeout_;
  Done done_;
  Datagrams socket_;
  TimerId timer_ = 0;
};

UdpProbe::UdpProbe(process::EventLoop& loop, const SocketAddress& where, UdpCheck check)
    : loop_(loop), where_(where), check_(std::move(check)) {}

UdpProbe::~UdpProbe() = default;

void UdpProbe::run(Duration timeout, Done done) {
  attempt_.reset();
  attempt_ = std::make_unique<Attempt>(*this, timeout, std::move(done));
}

}  // namespace meshdns::probes
