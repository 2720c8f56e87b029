#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/discovery/discovered.h"
#include "agent/health/health_machine.h"
#include "agent/probes/probe.h"
#include "common/net/ip_address.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

struct Watched;
class CheckRunner;

/// Why a check runs, the most urgent reason first.
enum class Why : std::uint8_t {
  Event,    // the kernel has reported the end of a listener
  News,     // the probe has said that there is something new, or a person has asked
  Edge,     // results contradict the state
  Interval  // it is due
};

/// One check of one endpoint: made at the endpoint's first address of a family, or once for the endpoint.
struct Check {
  /// spec: has to live as long as the check refers to it
  Check(CheckRunner& runner, Watched& owner, const IpAddress& address, const discovery::CheckSpec& spec,
        health::HealthMachine machine);
  /// Ends the run, if it runs, without a result.
  ~Check();
  Check(const Check&) = delete;
  Check& operator=(const Check&) = delete;

  // The user's.
  CheckRunner& runner;
  Watched& owner;
  IpAddress address;
  std::optional<Family> family;  // whose address it is; nothing = the check is made once, and counts for each family
  const discovery::CheckSpec* spec;  // of the owner's list: many copies would be most of the agent's memory
  health::HealthMachine machine;
  bool was_open = false;  // an evidence check's port has taken a connection: a refusal means something then
  bool refused = false;   // its last result, if that means something

  // The runner's; its user may read them.
  std::unique_ptr<probes::Probe> probe;
  std::optional<TimePoint> planned;  // when the next run begins
  std::optional<TimePoint> queued;   // since when it waits for its turn
  std::optional<Why> again;          // it has to run once more, because something happened while it ran
  Why why = Why::Interval;           // of the run that is planned, waits or runs
  bool running = false;
  bool late = false;         // the run began late
  std::uint64_t number = 0;  // of this check, unique in the runner; orders equal times
  std::uint64_t runs = 0;    // that ended
  std::size_t holds = 0;     // descriptors
  TimePoint turn{};          // its place in the queue while `queued`
  TimePoint started{};       // of the run that runs, or the last one
  TimePoint last_started{};  // of the last run that ended
  Duration lag{};            // how late the timer of the run was
  Duration timeout{};        // of the run
  Duration latency{};        // of the last run that ended
  std::optional<health::ProbeResult> last;
};

/// Runs checks when they are due: plans the times, bounds how many run at one time, and tells a late agent from a slow
/// endpoint. Knows nothing about health: what is planned is the check's machine's.
///
/// How it works: a check is planned, or waits for its turn, or runs.
///
///   plan() --> planned_ (by time) --one timer--> may it start? --yes--> Probe::run --> Parts::ended --> go_on()
///   run_at_once(): event, news ------------------^      '--no--> queue_ (by turn) --another run ends--^
///
/// * One timer serves all checks. Checks that are due within kTogether of each other begin together, because each wake
///   of a thread costs more than a connection.
/// * At most Limits::in_flight checks run at one time. An eighth of them is kept for events and news. Besides, checks
///   together hold at most Limits::descriptors descriptors, but one check always may run.
/// * The queue is in the order in which checks came, with head starts: events and news come first, and an edge check
///   overtakes those that came up to kEdgeHeadStart before it. So nothing waits for ever.
/// * Waiting in the queue is not lateness: a run gets its full timeout.
/// thread: the loop's
class CheckRunner {
 public:
  struct Limits {
    std::size_t in_flight = 512;
    std::size_t descriptors = std::numeric_limits<std::size_t>::max();
  };

  /// What the runner's user does.
  struct Parts {
    std::function<std::unique_ptr<probes::Probe>(const Check&)> make_probe;
    /// Takes the result of a run, with `late` and `after_event` set. It calls go_on() or destroys the check later.
    std::function<void(Check&, const health::ProbeResult&)> ended;
    /// Takes the number of a check that is being destroyed.
    std::function<void(std::uint64_t)> gone;
  };

  static constexpr Duration kTogether = 5ms;
  static constexpr Duration kEdgeHeadStart = 1s;
  /// The least time between two runs because of news: a peer that has news all the time costs no more than this.
  static constexpr Duration kNewsApart = 20ms;

  /// `clock` and `timers` must outlive the runner, and the runner its checks.
  CheckRunner(const Clock& clock, Timers& timers, Limits limits, Parts parts);
  ~CheckRunner();
  CheckRunner(const CheckRunner&) = delete;
  CheckRunner& operator=(const CheckRunner&) = delete;

  /// Plans the first run of a check.
  /// within: the longest delay
  void begin(Check& check, Duration within);
  /// Plans the next run of a check that has ended one.
  void go_on(Check& check);
  /// Runs a check as soon as it may. A run for something older is repeated: an event ends it, and news wait for its
  /// end. A run for an earlier event is not ended by a later one: otherwise a listener that comes and goes all the time
  /// would keep the check from ever ending. why: Event or News
  void run_at_once(Check& check, Why why);
  /// Forgets a check. Its run has no result.
  void stop(Check& check);

  std::size_t running() const { return running_; }
  std::size_t waiting() const { return queue_.size(); }
  /// Returns how long the check has waited that waits longest; 0 = none waits.
  Duration longest_wait() const;
  /// Whether the number of descriptors, not `in_flight`, makes checks wait.
  bool lacks_descriptors() const;
  const Limits& limits() const { return limits_; }

 private:
  friend struct Check;
  using Turns = std::map<std::pair<TimePoint, std::uint64_t>, Check*>;

  void plan(Check& check, TimePoint at, Why why);
  void unplan(Check& check);
  void leave_queue(Check& check);
  void on_news(Check& check);
  void on_timer();
  void wake_at(TimePoint at);
  /// Begins the run of a check that is not planned, or puts it into the queue.
  void begin_run(Check& check, Why why, Duration lag);
  bool may_start(const Check& check) const;
  void start(Check& check);
  void start_waiting();
  void end_run(Check& check);
  void on_done(Check& check, health::ProbeResult result);
  void hold(Check& check, std::size_t descriptors);

  const Clock& clock_;
  Timers& timers_;
  Limits limits_;
  Parts parts_;
  Turns planned_;
  Turns queue_;
  std::size_t running_ = 0;
  std::size_t held_ = 0;  // descriptors
  std::uint64_t next_number_ = 1;
  std::optional<TimerId> timer_;
  TimePoint wake_{};  // when the timer fires
};

}  // namespace meshdns::agent::app
