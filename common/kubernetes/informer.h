#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "common/kubernetes/client.h"
#include "common/kubernetes/events.h"
#include "common/kubernetes/line_splitter.h"
#include "common/kubernetes/watch_machine.h"
#include "common/log/reminder.h"
#include "common/time/time.h"

namespace meshdns::kubernetes {

/// Follows a collection of the Kubernetes API: lists it, watches it, and tells a consumer, for as long as it lives.
/// WatchMachine has the rules; the informer makes the requests, reads the answers, and sets the timers.
/// thread: the loop's
class Informer {
 public:
  struct Options {
    Collection collection;
    WatchMachine::Limits limits{};
    std::size_t longest_line = LineSplitter::kLongestLine;
    std::uint64_t seed = 0;  // of the jitter
  };
  /// How the watch is, for the daemons' status.
  struct Status {
    bool listed = false;  // the consumer has been told a whole list once
    std::optional<TimePoint> last_news;
    WatchMachine::Problem problem;
    std::uint64_t lists = 0;   // whole lists
    std::uint64_t events = 0;  // of lists and of changes
  };

  /// client, clock, timers: must outlive the informer
  /// consumer: must neither destroy the informer nor wait
  Informer(Client& client, const Clock& clock, Timers& timers, Options options, Consumer consumer);
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;
  /// Ends the request that runs. The consumer is told nothing more.
  ~Informer();

  /// Makes the first request.
  void start() { step(); }
  Status status() const;

 private:
  /// Does what the machine wants now.
  void step();
  void make(const WatchMachine::Ask& ask);
  void wait(std::optional<TimePoint> until);
  void accepted();
  void take_bytes(std::string_view bytes);
  /// Takes a line of the watch.
  /// returns: false = the rest of the watch is of no interest
  bool take_line(std::string_view line);
  /// Tells the machine what is wrong with an answer.
  /// returns: whether nothing is
  bool succeeded(const Result<Answer>& answer, TimePoint now);
  void watch_done(const Result<Answer>& answer);
  void list_done(const Result<Answer>& answer);
  void tell(const Notice& notice);
  void log_problem();

  Client& client_;
  const Clock& clock_;
  Timers& timers_;
  const Consumer consumer_;
  const std::string path_;
  const std::size_t longest_line_;
  std::minstd_rand random_;
  WatchMachine machine_;
  LineSplitter lines_;
  Call call_;
  std::optional<TimerId> timer_;
  TimePoint timer_due_{};
  log::Reminder reminder_;
  std::uint64_t lists_ = 0, events_ = 0;
};

}  // namespace meshdns::kubernetes
