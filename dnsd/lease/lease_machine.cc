#include "dnsd/lease/lease_machine.h"

#include <algorithm>
#include <utility>

#include "common/time/duration_text.h"

namespace meshdns::lease {
namespace {

constexpr Duration kLongestRetryAfter = 5s;  // a server that asks for more is asked nevertheless: a lease is short

}  // namespace

const std::string LeaseMachine::kNobody;

LeaseMachine::LeaseMachine(std::string identity, Limits limits) : identity_(std::move(identity)), limits_(limits) {}

LeaseMachine::Action LeaseMachine::next(TimePoint now, std::int64_t unix_micros) {
  if (state_ == State::Leading && now >= leads_until()) {
    lose("the lease could not be renewed for " + duration_text(limits_.duration - limits_.margin) +
         (problem_.empty() ? "" : ": " + problem_));
  }
  if (state_ == State::Lost || state_ == State::Ended) return Wait{};
  const auto end = state_ == State::Leading ? std::optional(leads_until()) : std::nullopt;
  if (asked_) return Wait{end};
  if (now < due_) return Wait{end ? std::min(due_, *end) : due_};
  asked_ = true;
  sent_ = now;
  return request(now, unix_micros);
}

LeaseMachine::Action LeaseMachine::request(TimePoint now, std::int64_t unix_micros) {
  if (!is_current_) return Read{};
  if (!seen_) return Create{own_record(unix_micros)};
  if (releasing_) {
    LeaseRecord record = own_record(unix_micros);
    record.holder.clear();
    record.seconds = 1;  // the API allows no 0
    return Update{record};
  }
  if (is_own() || is_free(now)) return Update{own_record(unix_micros)};
  return Read{};
}

LeaseRecord LeaseMachine::own_record(std::int64_t unix_micros) {
  // An update that changes nothing is no update, so that nobody would see it.
  last_micros_ = unix_micros == last_micros_ ? unix_micros + 1 : unix_micros;
  LeaseRecord out;
  out.holder = identity_;
  out.seconds = limits_.duration / 1s;
  out.renewed = micro_time_text(last_micros_);
  out.acquired = is_own() ? seen_->acquired : out.renewed;
  if (!seen_) return out;
  out.transitions = seen_->transitions + (is_own() ? 0 : 1);
  out.version = seen_->version;
  return out;
}

TimePoint LeaseMachine::runs_out() const {
  return seen_at_ + (seen_->seconds > 0 ? Duration(std::chrono::seconds(seen_->seconds)) : limits_.duration);
}

bool LeaseMachine::is_free(TimePoint now) const { return seen_->holder.empty() || now >= runs_out(); }

void LeaseMachine::see(const LeaseRecord& record, TimePoint now) {
  if (seen_ != record) seen_at_ = now;
  seen_ = record;
  is_current_ = true;
}

void LeaseMachine::answered(TimePoint due) {
  asked_ = false;
  due_ = due;
}

void LeaseMachine::lose(const std::string& why) {
  state_ = State::Lost;
  why_lost_ = why;
}

void LeaseMachine::read(const LeaseRecord& record, TimePoint now) {
  problem_.clear();
  see(record, now);
  if (state_ == State::Leading && !is_own()) {
    lose(record.holder.empty() ? "the lease was released by somebody else" : "the lease is held by " + record.holder);
  }
  if (is_own() || is_free(now)) return answered(now);
  answered(std::min(now + limits_.poll, runs_out()));
}

void LeaseMachine::missing(TimePoint now) {
  problem_.clear();
  seen_.reset();
  is_current_ = true;
  if (releasing_) state_ = State::Ended;
  answered(now);
}

void LeaseMachine::written(const LeaseRecord& record, TimePoint now) {
  problem_.clear();
  conflicts_ = 0;
  see(record, now);
  if (record.holder != identity_) {
    state_ = State::Ended;  // the release
    return answered(now);
  }
  renewed_at_ = sent_;
  state_ = State::Leading;
  answered(releasing_ ? now : sent_ + limits_.renew);
}

void LeaseMachine::conflict(TimePoint now) {
  is_current_ = false;
  answered(conflicts_++ == 0 ? now : now + limits_.retry);
}

void LeaseMachine::failed(const std::string& problem, TimePoint now, std::optional<Duration> retry_after) {
  problem_ = problem;
  is_current_ = false;  // a write whose answer was lost may have been made
  if (releasing_) state_ = State::Ended;
  answered(now + std::max(limits_.retry, std::min(retry_after.value_or(Duration::zero()), kLongestRetryAfter)));
}

void LeaseMachine::release() {
  releasing_ = true;
  if (state_ != State::Leading) {
    state_ = State::Ended;
  } else if (!asked_) {
    due_ = TimePoint(Duration::min());
  }
}

std::string_view state_name(LeaseMachine::State state) {
  switch (state) {
    case LeaseMachine::State::Leading: return "leading";
    case LeaseMachine::State::Lost: return "lost";
    case LeaseMachine::State::Ended: return "ended";
    default: return "standby";
  }
}

}  // namespace meshdns::lease
