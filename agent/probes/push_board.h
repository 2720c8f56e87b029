#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/health/probe_result.h"
#include "common/time/time.h"

namespace meshdns::probes {

/// What a service said of itself.
struct Push {
  health::Outcome outcome = health::Outcome::Success;  // Success, Warning or Failure
  std::string detail;                                  // for people; at most model::kLongestDetail bytes
  TimePoint at{};                                      // when it was said

  friend bool operator==(const Push&, const Push&) = default;
};

/// A push as it is kept over a restart of the agent: by the wall clock, because the monotonic clock may start anew.
struct SavedPush {
  std::string key;  // of the endpoint
  health::Outcome outcome = health::Outcome::Success;
  std::string detail;
  std::int64_t at_unix_millis = 0;

  friend bool operator==(const SavedPush&, const SavedPush&) = default;
};

/// The last push of each endpoint, by the endpoint's key. Pure: `now` is an argument. Whoever takes pushes writes here,
/// and TtlProbe reads; how long a push holds is the check's (TtlCheck::ttl). Several ttl checks of one endpoint share
/// its push.
/// thread: one
class PushBoard {
 public:
  /// No push holds longer than this: the longest `ttl` of a check.
  static constexpr Duration kLongest = 24h;

  /// Ends a listen() when it is destroyed. The board must outlive it.
  class Listening {
   public:
    Listening() = default;
    Listening(Listening&& other) noexcept;
    Listening& operator=(Listening&& other) noexcept;
    ~Listening();

   private:
    friend class PushBoard;
    Listening(PushBoard& board, std::string key, std::uint64_t id) : board_(&board), key_(std::move(key)), id_(id) {}
    void end();

    PushBoard* board_ = nullptr;
    std::string key_;
    std::uint64_t id_ = 0;
  };

  /// Takes a push and calls the key's listeners. Pushes that are older than kLongest are forgotten by and by.
  /// outcome: Success, Warning or Failure
  void push(const std::string& key, health::Outcome outcome, std::string detail, TimePoint now);
  /// Returns the endpoint's last push, however old; nothing = there was none, or it is forgotten.
  std::optional<Push> last(const std::string& key) const;
  /// Calls `news` after each push of the endpoint, from within push(), until the result is destroyed. `news` may listen
  /// and end listening.
  [[nodiscard]] Listening listen(const std::string& key, std::function<void()> news);

  /// Returns the pushes that may still hold, for the state file.
  /// unix_millis: the wall clock at `now`
  std::vector<SavedPush> snapshot(TimePoint now, std::int64_t unix_millis) const;
  /// Takes the pushes of an earlier run of the agent, as if they had come when they came. A push that is older than
  /// kLongest, or that is older than the one that the board has, is ignored. One from the future (the wall clock was
  /// set back) counts as made now.
  void restore(const std::vector<SavedPush>& saved, TimePoint now, std::int64_t unix_millis);

 private:
  static constexpr std::size_t kFirstSweep = 1024;

  void sweep(TimePoint now);
  void tell(const std::string& key);

  std::map<std::string, Push> pushes_;
  std::map<std::string, std::map<std::uint64_t, std::function<void()>>> listeners_;
  std::uint64_t next_id_ = 1;
  std::size_t sweep_at_ = kFirstSweep;  // the number of pushes at which old ones are looked for
};

}  // namespace meshdns::probes
