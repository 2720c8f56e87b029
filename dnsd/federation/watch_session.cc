#include "dnsd/federation/watch_session.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "common/rpc/peer.h"
#include "dnsd/federation/features.h"

namespace meshdns::federation {
namespace {

constexpr Duration kSentAwayRetry = 60s;  // until somebody has changed a certificate or a rule

identity::Verb verb_of(v1::Subscribe::Mode mode) {
  switch (mode) {
    case v1::Subscribe::PEER: return identity::Verb::Peer;
    case v1::Subscribe::SIBLING: return identity::Verb::Stand;
    default: return identity::Verb::Replicate;
  }
}

}  // namespace

EncodedReply encoded_status(const Feed& feed) {
  v1::WatchReply reply;
  v1::Position& head = *reply.mutable_status()->add_heads();
  *head.mutable_origin() = feed.origin();
  head.set_epoch(feed.epoch());
  head.set_revision(feed.head());
  head.set_serial(feed.serial());
  reply.mutable_status()->set_recovering(feed.recovering());
  reply.mutable_status()->set_additive(!feed.settled());
  for (const Brakes::Closed& closed : feed.closed_brakes()) {
    v1::Brake& brake = *reply.mutable_status()->add_brakes();
    brake.set_name(closed.name);
    brake.set_covers(closed.covers);
    brake.set_reason(closed.reason);
    brake.set_held_back(closed.held);
  }
  return std::make_shared<const std::string>(reply.SerializeAsString());
}

WatchSession::WatchSession(WatchContext& context, std::shared_ptr<WatchPort> port, std::string peer,
                           std::string address, identity::Caller caller)
    : context_(context),
      feed_(context.feed),
      counters_(context.counters),
      clock_(context.clock),
      port_(std::move(port)),
      opened_(context.clock.now()),
      peer_(std::move(peer)),
      caller_(std::move(caller)),
      source_(context.unread, address),
      unread_(context.unread, address) {
  ++counters_.sessions;
  port_->read_next();
}

void WatchSession::leave() {
  transfer_.reset();
  source_.release();
  unread_.release();
}

std::uint64_t WatchSession::revisions_behind() const {
  const std::uint64_t held = unacknowledged_.empty() && !transfer_ ? sent_ : acked_;
  return feed_.head() > held ? feed_.head() - held : 0;
}

Duration WatchSession::lag() const {
  return unacknowledged_.empty() ? Duration::zero() : clock_.now() - unacknowledged_.front().sent;
}

void WatchSession::received(const v1::WatchRequest& request) {
  if (ended_) return;
  if (request.has_subscribe()) {
    subscribe(request.subscribe());
  } else if (request.has_ack()) {
    acknowledged(request.ack());
  }
  if (!ended_) port_->read_next();
}

void WatchSession::acknowledged(const v1::Acknowledge& ack) {
  acked_ = std::min(ack.position().revision(), sent_);
  if (ack.position().revision() > sent_) ++counters_.clamped;
  counters_.nacks += static_cast<std::uint64_t>(ack.nacks_size());
  for (const v1::Nack& nack : ack.nacks()) {
    context_.nacks.warn(clock_.now(), "subscriber refused",
                        {{"replica", name()}, {"type", nack.type()}, {"key", nack.key()}, {"reason", nack.reason()}});
  }
  const bool waited = waits_for_ack();
  while (!unacknowledged_.empty() && unacknowledged_.front().to <= acked_) unacknowledged_.pop_front();
  if (waited && !waits_for_ack()) pump();
}

void WatchSession::subscribe(const v1::Subscribe& subscribe) {
  if (const auto allowed = caller_.may({verb_of(subscribe.mode()), "", ""}); !allowed) {
    ++counters_.not_allowed;
    if (context_.audit) {
      context_.audit({identity::text(caller_.who()), rpc::peer_text(peer_), "watch", name_, allowed.error().message()});
    }
    return goodbye(allowed.error().message(), kSentAwayRetry, v1::Goodbye::NOT_ALLOWED);
  }
  // a second Subscribe is allowed only after an additive set: to compare when the federation has settled
  if (std::exchange(subscribed_, true) && !additive_) return goodbye("Subscribe was said already", 5s);
  name_ = subscribe.name().substr(0, kLongestName);
  feed_.update();
  const TimePoint now = clock_.now();
  const bool was_recovering = feed_.recovering();
  const auto end = subscribe.held().begin() + std::min(subscribe.held_size(), kMostHeld);
  std::for_each(subscribe.held().begin(), end, [&](const auto& held) {
    if (feed_.subscriber_holds(held, now)) return;
    ++counters_.clamped;
    context_.nacks.warn(now, "a subscriber's serial is ignored: it is too far ahead",
                        {{"replica", name()}, {"peer", peer_}, {"serial", held.serial()}, {"own", feed_.serial()}});
  });
  if (feed_.recovering() && !was_recovering) {
    log::warn("a subscriber holds records of this cluster from before: the store counts as lost",
              {{"replica", name()}, {"peer", peer_}});
  }
  acks_lazily_ = std::ranges::find(subscribe.features(), kLazyAck) != subscribe.features().end();
  transfer_.reset();
  source_.release();
  unacknowledged_.clear();
  differs_.clear();
  confirmed_ = feed_.confirmations().size();
  // first the status: a replica that holds nothing must not take a recovering federation's first set for complete
  if (feed_.recovering() && port_->drained()) send_now(encoded_status(feed_));
  const bool resumed = std::any_of(subscribe.held().begin(), end, [&](const auto& held) { return resume(held); });
  if (!resumed) fill(now);
  if (subscribe.held().empty()) differs_.clear();  // it held nothing, so it holds what it is sent: no bucket differs
  pump();
}

bool WatchSession::resume(const v1::Position& held) {
  const v1::Origin& origin = feed_.origin();
  if (held.origin().cluster() != origin.cluster() || held.origin().instance() != origin.instance()) return false;
  if (held.epoch() == feed_.epoch() && feed_.reaches_back_to(held.revision())) {
    sent_ = held.revision();
    acked_ = sent_;
    additive_ = false;
    context_.lines.info(clock_.now(), "subscriber resumes",
                        {{"replica", name()}, {"peer", peer_}, {"from", sent_}, {"to", feed_.head()}});
    if (port_->drained()) send_now(encoded_status(feed_));
    return true;
  }
  if (held.buckets_size() != static_cast<int>(Feed::kBuckets)) return false;
  ++counters_.bucket_updates;
  const auto differs = feed_.differences({held.buckets().begin(), held.buckets().end()});
  begin(feed_.differing(differs));
  additive_ = transfer_->transfer().additive();
  if (additive_) differs_ = differs;
  context_.lines.info(clock_.now(), "subscriber compares",
                      {{"replica", name()},
                       {"peer", peer_},
                       {"epoch", held.epoch()},
                       {"buckets", std::ranges::count(differs, true)},
                       {"now", feed_.head()},
                       {"additive", additive_}});
  return true;
}

void WatchSession::fill(TimePoint now) {
  begin(feed_.snapshot(now));
  begun_fill();
}

void WatchSession::fill_alone() {
  begin(feed_.own_snapshot());
  begun_fill();
}

void WatchSession::begun_fill() {
  ++counters_.snapshots;
  additive_ = transfer_->transfer().additive();
  // the replica may hold another origin's version of a record that is provisional here
  if (additive_) differs_.assign(Feed::kBuckets, true);
  context_.lines.info(clock_.now(), "subscriber fills",
                      {{"replica", name()}, {"peer", peer_}, {"records", feed_.size()}, {"additive", additive_}});
}

void WatchSession::begin(std::shared_ptr<Transfer> transfer) {
  sent_ = transfer->to();
  source_.release();
  source_.hold(transfer->source_bytes());
  transfer_.emplace(std::move(transfer));
}

bool WatchSession::waits_for_ack() const {
  if (unacknowledged_.empty()) return false;
  if (acks_lazily_) return clock_.now() - unacknowledged_.front().sent >= kLazyAckDue;
  return unacknowledged_.size() >= kMostUnacknowledged;
}

bool WatchSession::behind() const { return sent_ != feed_.head() || has_confirmed(); }

bool WatchSession::advance() {
  if (!subscribed_ || ended_ || transfer_ || !port_->drained() || waits_for_ack()) return false;
  if (behind() && !source_.is_open()) {
    starve();
    return false;
  }
  feed_.update();
  const TimePoint now = clock_.now();
  if (sent_ != feed_.head()) {
    if (feed_.reaches_back_to(sent_)) {
      ++counters_.deltas;
      begin(feed_.delta(sent_, now));
    } else {
      fill(now);
    }
  } else if (has_confirmed()) {
    const auto& all = feed_.confirmations();
    const std::set<std::string> nodes(all.begin() + static_cast<std::ptrdiff_t>(confirmed_), all.end());
    confirmed_ = all.size();
    begin(feed_.confirmed(nodes, differs_));
  } else {
    return false;
  }
  send_part();
  return true;
}

void WatchSession::starve() {
  if (std::exchange(starved_, true)) return;
  ++counters_.waits;
  context_.starved(*this);
}

void WatchSession::fed() {
  starved_ = false;
  pump();
}

void WatchSession::pump() {
  if (!port_->drained()) return;
  if (unread_.held() > 0) {
    unread_.release();
    context_.read();
  }
  if (!subscribed_ || ended_ || !port_->drained()) return;
  if (transfer_) {
    send_part();
  } else {
    context_.idle(*this);
  }
}

void WatchSession::send_part() {
  if (transfer_->lost()) fill_alone();
  if (!unread_.is_open()) return starve();
  const TimePoint now = clock_.now();
  const EncodedReply part = transfer_->next(now);
  if (transfer_->done()) {
    unacknowledged_.push_back({transfer_->transfer().to(), now});
    transfer_.reset();
    source_.release();
  }
  unread_.hold(part->size());
  send_now(part);
}

void WatchSession::send_now(const EncodedReply& reply) {
  counters_.sent_bytes += reply->size();
  last_write_ = clock_.now();
  port_->send(reply);
}

void WatchSession::heartbeat(const EncodedReply& status, bool pressed) {
  const TimePoint now = clock_.now();
  if (ended_) {
    if (now - last_write_ >= kLongestEnd) port_->abort();
    return;
  }
  if (!unacknowledged_.empty() && now - unacknowledged_.front().sent >= kAckPatience)
    return cut("acknowledges nothing");
  const Duration patience = pressed && unread_.held() > 0 ? kPressedPatience : kWritePatience;
  if (!port_->drained() && now - last_write_ >= patience) return cut("reads nothing");
  if (!subscribed_ || transfer_ || !port_->drained()) return;
  send_now(status);
}

void WatchSession::cut(const char* why) {
  context_.lines.warn(clock_.now(), "subscriber cut",
                      {{"replica", name()}, {"why", why}, {"acknowledged", acked_}, {"sent", sent_}});
  ++counters_.cut;
  ended_ = true;
  port_->abort();
}

void WatchSession::goodbye(const std::string& why, Duration retry_after, v1::Goodbye::Reason reason) {
  if (std::exchange(ended_, true)) return;
  v1::WatchReply reply;
  reply.mutable_goodbye()->set_reason(reason);
  reply.mutable_goodbye()->set_message(why);
  *reply.mutable_goodbye()->mutable_retry_after() = convert::to_wire(retry_after);
  send_now(std::make_shared<const std::string>(reply.SerializeAsString()));
  port_->close();
}

}  // namespace meshdns::federation
