#include "agent/app/measurer.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"

namespace meshdns::agent::app {
namespace {

using report::Measurement;
using report::MeasureTarget;
using report::Reach;

constexpr Duration kTick = 250ms;
constexpr Duration kLate = 100ms;
// The number of connections in quick succession after a change, the first included: as many as a verdict takes.
constexpr int kLooksAfterChange = 3;

Reach reach_of(health::Outcome outcome) {
  switch (outcome) {
    case health::Outcome::Success:
    case health::Outcome::Warning: return Reach::Connected;
    case health::Outcome::Refused: return Reach::Refused;
    case health::Outcome::Timeout: return Reach::Timeout;
    case health::Outcome::Failure: return Reach::NoRoute;  // of a connect: a router on the way reports it
    case health::Outcome::Unknown: return Reach::Skipped;
  }
  return Reach::Skipped;
}

}  // namespace

struct Measurer::Watched {
  MeasureTarget target;
  std::unique_ptr<probes::Probe> probe;
  TimePoint due{};
  TimePoint started{};
  bool running = false;
  std::optional<bool> connected{};  // the last outcome; nothing = none yet
  int looks = 0;                    // connections left that follow in quick succession
};

std::vector<MeasureTarget> measurable(const std::vector<MeasureTarget>& targets, Loopback loopback,
                                      const std::set<std::uint16_t>& mesh_ports) {
  std::vector<MeasureTarget> out;
  for (const MeasureTarget& target : targets) {
    if (mesh_ports.contains(target.address.port) || not_answerable(target.address.ip, loopback)) continue;
    out.push_back(target);
  }
  return out;
}

Measurer::Measurer(const Clock& clock, Timers& timers, ProbeFactory make_probe, Sink sink, std::uint64_t seed)
    : clock_(clock),
      timers_(timers),
      make_probe_(std::move(make_probe)),
      sink_(std::move(sink)),
      random_(static_cast<std::minstd_rand::result_type>(seed)) {}

Measurer::~Measurer() {
  if (tick_timer_) timers_.cancel(*tick_timer_);
}

Duration Measurer::between(Duration shortest, Duration longest) {
  return Duration(std::uniform_int_distribution<Duration::rep>(shortest.count(), longest.count())(random_));
}

void Measurer::follow(const std::vector<MeasureTarget>& targets, Loopback loopback,
                      const std::set<std::uint16_t>& mesh_ports) {
  const auto allowed = measurable(targets, loopback, mesh_ports);
  const std::size_t forbidden = targets.size() - allowed.size();
  if (std::exchange(forbidden_, forbidden) != forbidden && forbidden > 0) {
    log::warn("targets of the federation are not measured: agents may not connect there", {{"targets", forbidden}});
  }
  set_targets(allowed);
}

void Measurer::set_targets(const std::vector<MeasureTarget>& targets) {
  auto before = std::exchange(watched_, {});
  for (const MeasureTarget& target : targets) {
    const auto found = before.find(target.key);
    if (found != before.end() && found->second->target == target) {
      watched_.insert(before.extract(found));
      continue;
    }
    auto watched = std::make_unique<Watched>();
    watched->target = target;
    watched->due = clock_.now() + between(Duration::zero(), kFirstWithin);
    watched_[target.key] = std::move(watched);
  }
  if (!watched_.empty() && !tick_timer_) schedule_tick();
  if (watched_.empty() && tick_timer_) timers_.cancel(*std::exchange(tick_timer_, std::nullopt));
}

void Measurer::schedule_tick() {
  next_tick_ = clock_.now() + kTick;
  tick_timer_ = timers_.after(kTick, [this] {
    tick_timer_.reset();
    tick();
  });
}

void Measurer::tick() {
  const TimePoint now = clock_.now();
  if (now > next_tick_ + kLate) held_up_ = now;
  for (const auto& [key, watched] : watched_) {
    if (!watched->running && watched->due <= now) start(*watched);
  }
  schedule_tick();
}

void Measurer::start(Watched& watched) {
  watched.running = true;
  watched.started = clock_.now();
  if (!watched.probe) watched.probe = make_probe_(watched.target.address);
  watched.probe->run(kTimeout, [this, &watched](const health::ProbeResult& result) { on_result(watched, result); });
}

bool Measurer::held_up_since(TimePoint then) const {
  const TimePoint now = clock_.now();
  return (held_up_ && *held_up_ > then) || now > next_tick_ + kLate || now > then + kTimeout + kLate;
}

Measurement Measurer::measurement_of(const Watched& watched, const health::ProbeResult& result) const {
  Measurement out{watched.target.key, reach_of(result.outcome), Duration::zero()};
  const bool held_up = held_up_since(watched.started);
  if (out.reach == Reach::Timeout && held_up) out.reach = Reach::Skipped;
  if (out.reach != Reach::Connected) return out;
  out.rtt = result.rtt;
  // Without the kernel's figure our own clock must do, unless this thread was held up: its time contains that wait.
  if (out.rtt <= Duration::zero() && !held_up) out.rtt = clock_.now() - watched.started;
  return out;
}

void Measurer::on_result(Watched& watched, const health::ProbeResult& result) {
  watched.running = false;
  const Measurement found = measurement_of(watched, result);
  ++counters_.at(static_cast<std::size_t>(found.reach));
  if (found.reach != Reach::Skipped) {
    const bool connected = found.reach == Reach::Connected;
    if (watched.connected && *watched.connected != connected) watched.looks = kLooksAfterChange;
    watched.connected = connected;
  }
  const bool soon = watched.looks > 0 && --watched.looks > 0;
  const Duration interval = soon ? kShortestInterval : std::max(watched.target.interval, kShortestInterval);
  watched.due = clock_.now() + between(interval * 9 / 10, interval * 11 / 10);
  sink_(found);
}

}  // namespace meshdns::agent::app
