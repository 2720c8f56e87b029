#include "common/kubernetes/watch_machine.h"

#include <algorithm>
#include <utility>

#include "common/base/overloaded.h"
#include "common/kubernetes/json_text.h"
#include "common/kubernetes/status_codes.h"
#include "common/time/duration_text.h"

namespace meshdns::kubernetes {
namespace {

/// Whether the refusal says that the server cannot send the initial list as a watch. With etcd before 3.4.25 the server
/// takes the request, and then says so within the watch.
bool lacks_initial_watch(const Refusal& refusal) {
  return refusal.code == kUnprocessable ||
         (refusal.code == kInternalError && refusal.message.find("RequestWatchProgress") != std::string::npos);
}

}  // namespace

WatchMachine::WatchMachine(Collection collection, Limits limits, Random random)
    : collection_(std::move(collection)), limits_(limits), random_(std::move(random)) {}

WatchMachine::Action WatchMachine::next(TimePoint now) {
  if (phase_ == Phase::Streaming && now >= silent_at()) became_silent(now);
  if (std::exchange(stop_, false)) return Stop{};
  if (phase_ == Phase::Streaming) return Wait{silent_at()};
  if (phase_ != Phase::Pause) return Wait{};
  if (now < due_) return Wait{due_};
  return ask();
}

WatchMachine::Ask WatchMachine::ask() {
  Ask out{verb(), {}, accept_of(collection_, verb()), std::exchange(read_token_, false)};
  phase_ = goal_ == Goal::Page ? Phase::Listing : Phase::Opening;
  switch (goal_) {
    case Goal::Page: out.target = list_target(collection_, limits_.page, next_page_); break;
    case Goal::InitialWatch: out.target = initial_watch_target(collection_, watch_length()); break;
    case Goal::Resume: out.target = resumed_watch_target(collection_, version_, watch_length()); break;
  }
  return out;
}

std::chrono::seconds WatchMachine::watch_length() const {
  const auto range = limits_.longest_watch - limits_.shortest_watch;
  return limits_.shortest_watch + std::chrono::floor<std::chrono::seconds>(random_part_of(range));
}

std::optional<Notice> WatchMachine::accepted(TimePoint now) {
  phase_ = Phase::Streaming;
  token_is_new_ = heard_ = false;
  opened_ = quiet_since_ = now;
  if (!problem_within_) problem_ = {};
  if (goal_ == Goal::InitialWatch) return Begin{};
  return std::nullopt;
}

std::optional<Notice> WatchMachine::take(WatchEvent event, TimePoint now) {
  const auto take_event = [&](Event& change) -> std::optional<Notice> {
    news(now);
    // The initial list is sorted by name, not by version: a watch that breaks off in it cannot be resumed.
    if (goal_ == Goal::Resume) {
      version_ = resource_version(change.object);
      healthy();
    }
    return std::move(change);
  };
  return std::visit(Overloaded{take_event,
                               [&](const Bookmark& bookmark) {
                                 news(now);
                                 return take_bookmark(bookmark);
                               },
                               [&](const Refusal& refusal) -> std::optional<Notice> {
                                 stop_ = true;
                                 take_refusal(refusal, true, now);
                                 return std::nullopt;
                               }},
                    event);
}

std::optional<Notice> WatchMachine::take_bookmark(const Bookmark& bookmark) {
  if (goal_ == Goal::InitialWatch) {
    if (!bookmark.ends_list) return std::nullopt;
    complete(bookmark.version);
    return Listed{};
  }
  version_ = bookmark.version;
  healthy();
  return std::nullopt;
}

std::vector<Notice> WatchMachine::take(Page page, TimePoint now) {
  leave(now);
  news(now);
  token_is_new_ = false;
  if (!problem_within_) problem_ = {};
  std::vector<Notice> out;
  out.reserve(page.events.size() + 2);
  if (next_page_.empty()) out.emplace_back(Begin{});
  for (Event& event : page.events) out.emplace_back(std::move(event));
  next_page_ = std::move(page.next);
  if (next_page_.empty()) {
    complete(std::move(page.version));
    out.emplace_back(Listed{});
  }
  pause(now, Duration::zero());
  return out;
}

void WatchMachine::refused(const Refusal& refusal, TimePoint now) { take_refusal(refusal, false, now); }

void WatchMachine::take_refusal(const Refusal& refusal, bool within_watch, TimePoint now) {
  leave(now);
  if (take_expected(refusal, within_watch, now)) return;
  problem_ = {refusal.code, refusal.text()};
  problem_within_ = within_watch;
  switch (refusal.code) {
    case kUnauthorized: read_token_ = true; break;
    case kForbidden: problem_.text += "; the role needs a rule " + rule_of(collection_, verb()); break;
    case kGone: begin_anew(); break;
    case kTimeout:
      // The version is of the server's future. If it stays there, the server has lost what came since.
      if (last_news_ && now - *last_news_ >= limits_.silence) begin_anew();
      break;
    default: break;
  }
  back_off(now, refusal.retry_after);
}

/// Takes a refusal that is no problem the first time, because the next request is another one. A server that goes on
/// refusing gets rest.
bool WatchMachine::take_expected(const Refusal& refusal, bool within_watch, TimePoint now) {
  if (goal_ == Goal::InitialWatch && lacks_initial_watch(refusal)) {
    by_pages_ = true;
    begin_anew();
    pause(now, Duration::zero());
    return true;
  }
  if (refusal.code == kUnauthorized && !within_watch && !std::exchange(token_is_new_, true)) {
    read_token_ = true;
    pause(now, Duration::zero());
    return true;
  }
  if (refusal.code == kGone && !std::exchange(expired_, true)) {
    begin_anew();
    pause(now, random_part_of(limits_.spread));
    return true;
  }
  return false;
}

void WatchMachine::ended(TimePoint now) {
  const bool planned = goal_ == Goal::Resume && (heard_ || now - opened_ >= limits_.too_short);
  leave(now);
  if (planned) return pause(now, random_part_of(limits_.spread));
  problem_ = {0, goal_ == Goal::Resume ? "the server ends each watch at once"
                                       : "the server ended the watch within the initial list"};
  problem_within_ = true;
  back_off(now);
}

void WatchMachine::failed(const Error& error, TimePoint now) {
  problem_within_ = phase_ == Phase::Streaming && now - opened_ < limits_.too_short;
  leave(now);
  problem_ = {0, error.message()};
  back_off(now);
}

void WatchMachine::damaged(const Error& error, TimePoint now) {
  stop_ = phase_ == Phase::Streaming;
  leave(now);
  problem_ = {0, "the server's answer cannot be read: " + error.message()};
  problem_within_ = true;
  begin_anew();
  back_off(now);
}

void WatchMachine::became_silent(TimePoint now) {
  const bool in_list = goal_ == Goal::InitialWatch;
  stop_ = true;
  leave(now);
  problem_ = {0, "the server said nothing for " + duration_text(limits_.silence)};
  problem_within_ = true;
  begin_anew();
  if (in_list) return back_off(now);
  pause(now, random_part_of(limits_.spread));
}

void WatchMachine::news(TimePoint now) {
  heard_ = true;
  quiet_ = {};
  quiet_since_ = now;
  last_news_ = now;
}

void WatchMachine::complete(std::string version) {
  version_ = std::move(version);
  goal_ = Goal::Resume;
  listed_ = true;
  expired_ = false;
  healthy();
}

void WatchMachine::healthy() {
  failures_ = 0;
  problem_ = {};
  problem_within_ = false;
}

void WatchMachine::begin_anew() {
  goal_ = by_pages_ ? Goal::Page : Goal::InitialWatch;
  next_page_.clear();
  quiet_ = {};
}

void WatchMachine::leave(TimePoint now) {
  if (phase_ == Phase::Streaming) {
    quiet_ += now - quiet_since_;
    // A watch that something on the way cuts now and then is resumed soon each time.
    if (goal_ == Goal::Resume && now - opened_ >= limits_.too_short) failures_ = 0;
  }
  phase_ = Phase::Pause;
}

void WatchMachine::back_off(TimePoint now, std::optional<Duration> retry_after) {
  Duration whole = limits_.shortest_backoff;
  for (unsigned i = 0; i < failures_ && whole < limits_.longest_backoff; ++i) whole *= 2;
  ++failures_;
  Duration delay = random_part_of(std::min(whole, limits_.longest_backoff));
  // The clients that a server asks to wait for the same time do not come back at the same moment.
  if (retry_after) delay = std::min(*retry_after, limits_.longest_retry_after) + random_part_of(limits_.spread);
  pause(now, delay);
}

Duration WatchMachine::random_part_of(Duration whole) const {
  return Duration(static_cast<std::int64_t>(random_() * static_cast<double>(whole.count())));
}

}  // namespace meshdns::kubernetes
