// Many agents in one process: the reporter and the syncer of meshdns-agent, each with a connection of its own, and
// endpoints that change their health as often as is asked for.
//
//   bench_agents --server ADDRESS --agents N --endpoints N [--services N] [--clusters N] [--ramp SECONDS] [--changes N]
//
// Prints a line of JSON each second. SIGHUP: from now on so many `changes` a second. SIGTERM ends it, without a word to
// the server.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iterator>
#include <optional>
#include <random>

#include "agent/report/grpc_reporter.h"
#include "common/log/log.h"
#include "common/process/signals.h"
#include "common/rpc/credentials.h"
#include "common/time/system_clock.h"
#include "tests/bench/federation/mesh.h"

namespace meshdns::bench {
namespace {

using report::Syncer;

constexpr Duration kLook = 20ms;
constexpr Duration kTurn = 2ms;

struct Agent {
  Agent(process::EventLoop& loop, const Clock& clock, report::ReporterOptions options)
      : reporter(loop, clock, std::move(options), syncer) {}

  bool in_sync() const { return syncer.state() == Syncer::State::InSync; }

  Syncer syncer{report::wire_codec()};
  report::GrpcReporter reporter;
  bool was_in_sync = false;
};

class Fleet {
 public:
  Fleet(process::EventLoop& loop, const Clock& clock, const Flags& flags)
      : loop_(loop),
        clock_(clock),
        mesh_(flags),
        server_(flags.text("server")),
        ramp_(std::chrono::seconds(flags.number("ramp", 0))),
        changes_(flags.number("changes", 0)) {}

  void start() {
    make();
    begun_ = clock_.now();
    connect();
    look();
    tell();
  }
  void begin_changes() {
    changing_since_ = clock_.now();
    change();
  }

 private:
  /// All that costs much, before anybody connects.
  void make() {
    for (int number = 0; number < mesh_.agents; ++number) {
      report::ReporterOptions options;
      options.servers = {server_};
      const model::Node node = mesh_.node(number);
      options.node = report::NodeDescription::fixed(node);
      options.instance_uid = "bench " + node.key;
      options.boot_id = "bench";
      options.seed = static_cast<std::uint64_t>(number) + 1;
      Agent& agent = agents_.emplace_back(loop_, clock_, std::move(options));
      agent.syncer.set_sources({{"static", true, ""}});
      for (int entry = 0; entry < mesh_.endpoints; ++entry) {
        model::Endpoint endpoint = mesh_.endpoint(number, entry);
        endpoint.health.since = clock_.now();
        agent.syncer.put(endpoint, clock_.now());
      }
    }
  }

  /// Starts those whose time has come; all of them within `ramp_`.
  void connect() {
    const double share = ramp_ == Duration{} ? 1.0 : (clock_.now() - begun_) / std::chrono::duration<double>(ramp_);
    const auto due =
        std::min(agents_.size(), static_cast<std::size_t>(share * static_cast<double>(agents_.size()) + 1));
    for (; started_ < due; ++started_) agents_[started_].reporter.start();
    if (started_ < agents_.size()) loop_.after(kTurn, [this] { connect(); });
  }

  void look() {
    in_sync_ = 0;
    for (Agent& agent : agents_) {
      const bool now = agent.in_sync();
      if (agent.was_in_sync && !now) ++lost_;
      agent.was_in_sync = now;
      in_sync_ += now ? 1 : 0;
    }
    if (in_sync_ == agents_.size() && !all_since_) all_since_ = clock_.now();
    if (in_sync_ < agents_.size()) all_since_.reset();
    loop_.after(kLook, [this] { look(); });
  }

  void change() {
    const auto due = static_cast<std::uint64_t>(std::chrono::duration<double>(clock_.now() - changing_since_).count() *
                                                static_cast<double>(changes_));
    for (; changed_ < due; ++changed_) change_one();
    loop_.after(kTurn, [this] { change(); });
  }
  void change_one() {
    Agent& agent = agents_[random_() % agents_.size()];
    if (!agent.in_sync()) {
      ++skipped_;
      return;
    }
    const auto& all = agent.syncer.endpoints();
    model::Endpoint endpoint = std::next(all.begin(), static_cast<std::ptrdiff_t>(random_() % all.size()))->second;
    const bool serving = endpoint.health.state == model::HealthState::Serving;
    endpoint.health.state = serving ? model::HealthState::Failing : model::HealthState::Serving;
    endpoint.health.since = clock_.now();
    endpoint.health.detail = sent_at(clock_.now());
    agent.syncer.put(endpoint, clock_.now());
    agent.reporter.changed();
  }

  void tell() {
    const std::string all = all_since_ ? fmt::format("{:.3f}", seconds(*all_since_)) : "null";
    fmt::print(
        R"({{"at": {:.3f}, "begun": {:.3f}, "in_sync": {}, "all_since": {}, "lost": {}, "changed": {}, "skipped": {}}})"
        "\n",
        seconds(clock_.now()), seconds(begun_), in_sync_, all, lost_, changed_, skipped_);
    std::fflush(stdout);
    loop_.after(1s, [this] { tell(); });
  }
  /// On the clock that all processes of this machine share.
  static double seconds(TimePoint at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); }

  process::EventLoop& loop_;
  const Clock& clock_;
  Mesh mesh_;
  std::string server_;
  Duration ramp_;
  int changes_;
  std::deque<Agent> agents_;
  std::size_t started_ = 0;
  std::size_t in_sync_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t changed_ = 0;
  std::uint64_t skipped_ = 0;
  TimePoint begun_{};
  TimePoint changing_since_{};
  std::optional<TimePoint> all_since_;
  std::minstd_rand random_{1};
};

int run(int count, char** words) {
  const Flags flags(count, words);
  const SystemClock clock;
  process::EventLoop loop;
  Fleet fleet(loop, clock, flags);
  // A fleet that closes its streams one by one takes longer than a process that ends.
  const auto signals =
      process::Signals::start(loop, {.reload = [&] { fleet.begin_changes(); }, .terminate = [] { std::_Exit(0); }});
  if (!signals) return 1;
  log::set_level(log::Level::Error);
  fleet.start();
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
