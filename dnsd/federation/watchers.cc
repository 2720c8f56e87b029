#include "dnsd/federation/watchers.h"

#include <utility>

#include "common/rpc/stream_limits.h"

namespace meshdns::federation {

Watchers::Watchers(Feed& feed, const Clock& clock, Timers& timers, rpc::Quota::Limits unread,
                   std::function<void(const log::AuditEntry&)> audit)
    : feed_(feed),
      clock_(clock),
      timers_(timers),
      context_{.feed = feed,
               .clock = clock,
               .idle = [this](WatchSession& session) { idle(session); },
               .starved = [this](WatchSession& session) { starved_.push_back(&session); },
               .read = [this] { feed_starved(); },
               .audit = std::move(audit),
               .unread = rpc::Quota(unread)} {}

Watchers::~Watchers() {
  if (round_timer_) timers_.cancel(*round_timer_);
  // streams may keep their sessions alive for longer, but the quota goes with this object
  for (const auto& [key, session] : sessions_) session->leave();
}

std::shared_ptr<WatchSession> Watchers::open(std::shared_ptr<WatchPort> port, std::string peer,
                                             identity::Caller caller) {
  const std::string address = rpc::quota_address(peer);
  auto session = std::make_shared<WatchSession>(context_, std::move(port), std::move(peer), address, std::move(caller));
  sessions_[session.get()] = session;
  openings_.opened(session, clock_.now());
  if (shutting_down_) session->goodbye("the federation is ending", 1s);
  return session;
}

void Watchers::closed(WatchSession& session) {
  if (session.subscribed()) {
    context_.lines.info(clock_.now(), "subscriber gone", {{"replica", session.name()}, {"peer", session.peer()}});
  }
  idle_.erase(&session);
  std::erase(starved_, &session);
  session.leave();
  sessions_.erase(&session);
  feed_starved();
}

void Watchers::feed_starved() {
  if (std::exchange(feeding_, true)) return;
  // each session once: a session whose address still holds too much is added again
  for (std::size_t left = starved_.size(); left > 0 && !starved_.empty(); --left) {
    if (context_.unread.total() >= context_.unread.limits().total) break;
    WatchSession* session = starved_.front();
    starved_.pop_front();
    session->fed();
  }
  feeding_ = false;
}

void Watchers::tidy() {
  const TimePoint now = clock_.now();
  feed_.forget_transfers(now);
  context_.lines.look(now);
  context_.nacks.look(now);
}

void Watchers::changed() {
  if (feed_.lag() >= kMostLag) feed_.update();
  if (round_timer_) return;
  if (last_round_ && clock_.now() - *last_round_ < pace()) return plan_round();
  round();
}

void Watchers::plan_round() {
  if (round_timer_) return;
  const Duration wait = *last_round_ + pace() - clock_.now();
  round_timer_ = timers_.after(std::max(Duration::zero(), wait), [this] {
    round_timer_.reset();
    round();
  });
}

void Watchers::round() {
  const TimePoint begun = clock_.now();
  last_round_ = begun;
  feed_.update();
  for (WatchSession* session : std::exchange(idle_, {})) {
    if (!session->advance()) idle_.insert(session);
  }
  round_cost_ = clock_.now() - begun;
}

void Watchers::idle(WatchSession& session) {
  const bool in_round = last_round_ && clock_.now() - *last_round_ < pace();
  if (!session.behind()) {
    idle_.insert(&session);
  } else if (in_round) {
    idle_.insert(&session);
    plan_round();
  } else if (!session.advance()) {
    idle_.insert(&session);
  }
}

void Watchers::confirmed(const std::string& node) {
  feed_.confirm(node);
  if (!sessions_.empty()) changed();
}

void Watchers::heartbeat() {
  tidy();
  const EncodedReply status = encoded_status(feed_);
  for (const auto& [key, session] : sessions_) session->heartbeat(status, !starved_.empty());
}

void Watchers::heartbeat_slice() {
  tidy();
  if (sessions_.empty()) return;
  const EncodedReply status = encoded_status(feed_);
  auto at = sessions_.upper_bound(beaten_);
  for (std::size_t left = (sessions_.size() + kSlices - 1) / kSlices; left > 0; --left) {
    if (at == sessions_.end()) at = sessions_.begin();
    beaten_ = at->first;
    (at++)->second->heartbeat(status, !starved_.empty());
  }
}

void Watchers::end_silent_streams() {
  openings_.each_due(clock_.now(), [this](const std::shared_ptr<WatchSession>& session) {
    if (session->subscribed()) return;
    if (session->ended()) return session->cut();
    session->goodbye("no Subscribe within 10 s", 5s, v1::Goodbye::PROTOCOL_ERROR);
    openings_.opened(session, clock_.now());  // the replica may never read the Goodbye
  });
}

void Watchers::shut_down() {
  shutting_down_ = true;
  for (const auto& [key, session] : sessions_) session->goodbye("the federation is ending", 1s);
}

}  // namespace meshdns::federation
