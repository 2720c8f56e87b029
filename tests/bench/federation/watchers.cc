// Many replicas in one process, as far as their streams are concerned: each subscribes on a connection of its own,
// acknowledges at most every 250 ms or 1,000 records, and resumes where it was. Nothing of what they hear is kept.
//
//   bench_watchers --server ADDRESS --count N
//
// Prints a line of JSON each second: how many are filled, and how long changes took from their agent. SIGHUP: the times
// until now are forgotten.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>

#include "common/log/log.h"
#include "common/process/signals.h"
#include "common/rpc/backoff.h"
#include "common/rpc/channel.h"
#include "common/rpc/credentials.h"
#include "common/rpc/reactors.h"
#include "common/time/system_clock.h"
#include "dnsd/federation/features.h"
#include "meshdns/v1/federation.grpc.pb.h"
#include "tests/bench/federation/histogram.h"
#include "tests/bench/federation/mesh.h"

namespace meshdns::bench {
namespace {

using Stream = rpc::ClientStream<v1::WatchReply, v1::WatchRequest>;

constexpr Duration kAcknowledge = 250ms;
constexpr std::size_t kMostUnacknowledged = 1000;

/// What all watchers of the process count.
struct Counts {
  std::uint64_t filled = 0;
  std::uint64_t fills = 0;  // sets that were not deltas
  std::uint64_t sessions = 0;
  std::uint64_t records = 0;
  Histogram lag;
};

class Watcher {
 public:
  Watcher(process::EventLoop& loop, const Clock& clock, const std::string& server, Counts& counts, std::uint64_t seed)
      : loop_(loop),
        clock_(clock),
        counts_(counts),
        stub_(v1::Federation::NewStub(rpc::channel_to(server, nullptr))),
        backoff_(seed) {}

  void open() {
    ++counts_.sessions;
    auto* stream = new Stream([this](std::function<void()> work) { loop_.post(std::move(work)); });
    port_ = stream->port();
    rpc::StreamEvents<v1::WatchReply> events;
    events.received = [this](const v1::WatchReply& reply) {
      if (reply.has_batch()) received(reply.batch());
      if (port_) port_->read_next();
    };
    events.written = [] {};
    events.closed = [this](const Error&) { closed(); };
    port_->set_events(std::move(events));
    stub_->async()->Watch(&stream->context(), stream);
    stream->start();
    v1::WatchRequest request;
    request.mutable_subscribe()->set_mode(v1::Subscribe::REPLICA);
    request.mutable_subscribe()->add_features(federation::kLazyAck);
    if (held_) *request.mutable_subscribe()->add_held() = *held_;
    port_->send(std::move(request));
    port_->read_next();
  }

 private:
  void received(const v1::Batch& batch) {
    const bool delta = batch.kind() == v1::Batch::DELTA;
    const auto records = static_cast<std::size_t>(batch.records_size());
    counts_.records += records;
    for (const v1::Record& record : batch.records()) {
      if (!delta) break;
      if (const auto sent = moment_in(record.body())) counts_.lag.add(clock_.now() - *sent);
    }
    unacknowledged_ += records;
    if (!batch.last()) return;
    if (!delta) ++counts_.fills;
    if (!std::exchange(filled_, true)) ++counts_.filled;
    backoff_.succeeded();
    held_.emplace();
    *held_->mutable_origin() = batch.origin();
    held_->set_epoch(batch.epoch());
    held_->set_revision(batch.to());
    if (unacknowledged_ >= kMostUnacknowledged || !delta) return acknowledge();
    if (!timer_) timer_ = loop_.after(kAcknowledge, [this] { acknowledge(); });
  }

  void acknowledge() {
    if (timer_) loop_.cancel(*timer_);
    timer_.reset();
    unacknowledged_ = 0;
    if (!port_ || !held_) return;
    v1::WatchRequest request;
    *request.mutable_ack()->mutable_position() = *held_;
    port_->send(std::move(request));
  }

  void closed() {
    port_.reset();
    if (std::exchange(filled_, false)) --counts_.filled;
    loop_.after(backoff_.next(), [this] { open(); });
  }

  process::EventLoop& loop_;
  const Clock& clock_;
  Counts& counts_;
  std::unique_ptr<v1::Federation::Stub> stub_;
  rpc::Backoff backoff_;
  std::shared_ptr<Stream::Stream> port_;
  std::optional<v1::Position> held_;
  std::size_t unacknowledged_ = 0;
  std::optional<TimerId> timer_;
  bool filled_ = false;
};

void tell(process::EventLoop& loop, const Counts& counts) {
  fmt::print(R"({{"filled": {}, "fills": {}, "sessions": {}, "records": {}, "lag": {}}})"
             "\n",
             counts.filled, counts.fills, counts.sessions, counts.records, counts.lag.json());
  std::fflush(stdout);
  loop.after(1s, [&] { tell(loop, counts); });
}

int run(int count, char** words) {
  const Flags flags(count, words);
  const SystemClock clock;
  process::EventLoop loop;
  Counts counts;
  const auto signals =
      process::Signals::start(loop, {.reload = [&] { counts.lag.clear(); }, .terminate = [] { std::_Exit(0); }});
  if (!signals) return 1;
  log::set_level(log::Level::Error);
  std::deque<Watcher> watchers;
  for (int number = 0; number < flags.number("count", 1); ++number) {
    watchers.emplace_back(loop, clock, flags.text("server"), counts, static_cast<std::uint64_t>(number) + 1);
    watchers.back().open();
  }
  tell(loop, counts);
  loop.run();
  return 0;
}

}  // namespace
}  // namespace meshdns::bench

int main(int count, char** words) {
  meshdns::process::hold_signals();  // before libraries start threads
  meshdns::rpc::prepare_process([] {
    return meshdns::SystemClock().unix_seconds();
  });  // as the daemons do; thousands of channels are slow to make otherwise
  return meshdns::bench::run(count, words);
}
