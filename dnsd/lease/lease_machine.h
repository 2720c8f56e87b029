#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "common/time/time.h"
#include "dnsd/lease/lease_record.h"

namespace meshdns::lease {

/// Decides who of several instances leads, by one Lease object of the Kubernetes API.
///
/// How it works: next() says what to do now. The owner does it, calls the function for what came of it, and asks next()
/// again. At most one request runs at a time.
///
///   standby --(no lease: create; released, or not renewed for its duration: update)--> leading --> lost
///      ^ reads the lease each `poll`                                                     | renews each `renew`
///
/// Only one of several writers succeeds: each update names the version that it replaces, and the API refuses it by 409
/// if that is not the latest one. Clocks of hosts are never compared: a standby counts a holder's time from the moment
/// at which it sees the lease changed, by its own monotonic clock; the times in the lease are for people. A leader
/// counts its own time from the moment at which it sent the renewal that succeeded, which is earlier than anybody can
/// have seen it, and ends `margin` before that time is over. So it has ended when somebody else can lead.
///
/// Deliberately not done: a leader that is told of a conflict does not end at once, because anybody may have edited the
/// object. It reads the lease, and ends if the lease has another holder.
/// source: client-go's leaderelection has the same rules
class LeaseMachine {
 public:
  struct Limits {
    Duration duration = 5s;   // whole seconds, at least 1
    Duration renew = 1s;      // from one renewal to the next
    Duration poll = 500ms;    // how often a standby reads the lease
    Duration retry = 500ms;   // after a request that failed
    Duration margin = 500ms;  // by which a leader ends before its time
  };

  enum class State : std::uint8_t { Standby, Leading, Lost, Ended };

  /// Read the lease.
  struct Read {};
  /// Create the lease.
  struct Create {
    LeaseRecord record;
  };
  /// Replace the lease that has record.version.
  struct Update {
    LeaseRecord record;
  };
  /// Do nothing until something comes of the request, and at the latest until then.
  struct Wait {
    std::optional<TimePoint> until;
  };
  using Action = std::variant<Read, Create, Update, Wait>;

  /// identity: of this instance; no other one, and no earlier process, has the same
  LeaseMachine(std::string identity, Limits limits);

  /// Returns what to do now. A request is returned once.
  /// unix_micros: the wall clock, for the times in the lease
  Action next(TimePoint now, std::int64_t unix_micros);

  // What came of the request; for the owner of the machine to call.

  /// The lease has been read.
  void read(const LeaseRecord& record, TimePoint now);
  /// There is no lease.
  void missing(TimePoint now);
  /// The lease has been created or updated, and is like this.
  void written(const LeaseRecord& record, TimePoint now);
  /// The lease was not written (409): it has another version, or exists.
  void conflict(TimePoint now);
  /// The request failed otherwise.
  /// retry_after: what the server asks for
  void failed(const std::string& problem, TimePoint now, std::optional<Duration> retry_after = std::nullopt);

  /// Gives the lease back, so that another instance can lead at once. The state is Ended when that is done, or cannot
  /// be done.
  void release();

  State state() const { return state_; }
  /// The holder as it was last read or written; empty = nobody, or the lease was not read yet.
  const std::string& holder() const { return seen_ ? seen_->holder : kNobody; }
  std::int64_t transitions() const { return seen_ ? seen_->transitions : 0; }
  /// Why the last request failed; empty = it did not.
  const std::string& problem() const { return problem_; }
  /// Why the state is Lost.
  const std::string& why_lost() const { return why_lost_; }
  /// When the time of the leader is over.
  /// requires: the state is Leading
  TimePoint leads_until() const { return renewed_at_ + limits_.duration - limits_.margin; }

 private:
  static const std::string kNobody;

  Action request(TimePoint now, std::int64_t unix_micros);
  LeaseRecord own_record(std::int64_t unix_micros);
  /// Notes what the lease is like.
  void see(const LeaseRecord& record, TimePoint now);
  /// Whether this instance may take the lease that it has seen.
  bool is_free(TimePoint now) const;
  bool is_own() const { return seen_ && seen_->holder == identity_; }
  TimePoint runs_out() const;
  void lose(const std::string& why);
  /// The request is over.
  void answered(TimePoint due);

  const std::string identity_;
  const Limits limits_;

  State state_ = State::Standby;
  bool asked_ = false;  // a request runs
  bool releasing_ = false;
  TimePoint due_{Duration::min()};  // of the next request
  TimePoint sent_{};                // the request that runs
  TimePoint renewed_at_{};          // when the last renewal that succeeded was sent

  std::optional<LeaseRecord> seen_;  // nothing = there is no lease, or it was not read yet
  TimePoint seen_at_{};              // when the lease was first seen as it is
  bool is_current_ = false;          // `seen_` was read, or found missing, after the last conflict and failure
  unsigned conflicts_ = 0;           // in a row
  std::int64_t last_micros_ = 0;     // of the last renewal
  std::string problem_, why_lost_;
};

/// Returns "standby", "leading", "lost" or "ended".
std::string_view state_name(LeaseMachine::State state);

}  // namespace meshdns::lease
