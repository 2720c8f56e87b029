#include "dnsd/federation/follower.h"

#include <utility>

#include "common/convert/out_of_bounds.h"
#include "common/convert/peer_bounds.h"
#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "dnsd/federation/features.h"

namespace meshdns::federation {

Follower::Follower(Mirror& mirror, const Clock& clock, Timers& timers, Events events)
    : Follower(mirror, clock, timers, std::move(events), AckPace{}) {}

Follower::Follower(Mirror& mirror, const Clock& clock, Timers& timers, Events events, AckPace pace)
    : mirror_(mirror),
      clock_(clock),
      timers_(timers),
      events_(std::move(events)),
      pace_(pace),
      last_heard_(clock.now()) {}

Follower::~Follower() { cancel_ack(); }

void Follower::opened(std::shared_ptr<SubscribePort> port) {
  port_ = std::move(port);
  spoken_ = false;
  retry_after_ = Duration::zero();
  last_ack_.reset();
  subscribe();
  port_->read_next();
}

void Follower::closed() {
  port_.reset();
  cancel_ack();
  mirror_.break_off();
}

void Follower::subscribe() {
  comparing_ = false;
  v1::WatchRequest request;
  request.mutable_subscribe()->set_mode(v1::Subscribe::REPLICA);
  request.mutable_subscribe()->add_features(kLazyAck);
  request.mutable_subscribe()->set_name(name_);
  if (!mirror_.empty() && !std::exchange(fill_anew_, false)) {
    *request.mutable_subscribe()->add_held() = mirror_.position(true);
  }
  port_->send(std::move(request));
}

void Follower::on_status(const v1::Status& status) {
  if (std::exchange(origin_recovers_, status.recovering()) != status.recovering()) {
    if (origin_recovers_) {
      log::warn("the federation is recovering: records that it does not know yet are kept");
    } else {
      log::info("the federation has recovered");
    }
  }
  origin_brakes_.assign(status.brakes().begin(), status.brakes().end());
  if (status.heads_size() > 0 && mirror_.take_head(status.heads(0))) events_.changed();
  if (status.additive()) comparing_ = false;
  if (status.additive() || !mirror_.additive() || comparing_) return;
  subscribe();
  comparing_ = true;
}

void Follower::received(const v1::WatchReply& reply) {
  if (port_ == nullptr) return;
  last_heard_ = clock_.now();
  refused_lines_.look(last_heard_);
  if (!std::exchange(spoken_, true)) events_.first_word();
  const auto beyond = convert::out_of_bounds(reply);
  clamped_.note(last_heard_, beyond.count, beyond.field, beyond.said);
  if (reply.has_batch()) {
    if (!take(reply.batch())) return port_->close();
  } else if (reply.has_status()) {
    on_status(reply.status());
  } else if (reply.has_goodbye()) {
    retry_after_ = convert::from_wire(reply.goodbye().retry_after(), Duration::zero(), convert::kLongestRetry);
  }
  port_->read_next();
}

bool Follower::take(const v1::Batch& batch) {
  unacknowledged_ += static_cast<std::size_t>(batch.records_size() + batch.removals_size());
  const auto nacks = mirror_.apply(batch, last_heard_);
  if (!nacks) {
    refuse(nacks.error());
    return false;
  }
  if (!batch.last()) return true;
  if (std::exchange(shrink_told_, false)) log::warn("no set is refused any more");
  acknowledge(*nacks);
  events_.changed();
  fill_anew_ = mirror_.wants_refill();
  return !fill_anew_;
}

void Follower::refuse(const Error& why) {
  if (mirror_.shrink_refused().empty()) {
    log::error("update refused", {{"reason", why}});
    fill_anew_ = true;
  } else {
    if (!std::exchange(shrink_told_, true)) {
      log::error("set refused: it shrinks too much; meshdnsctl approve-shrink takes it", {{"reason", why}});
    }
    retry_after_ = kShrinkRetry;
  }
}

void Follower::acknowledge(const std::vector<v1::Nack>& nacks) {
  const Duration since_last = last_ack_ ? last_heard_ - *last_ack_ : pace_.interval;
  if (!nacks.empty() || since_last >= pace_.interval || unacknowledged_ >= pace_.records) return send_ack(nacks);
  if (ack_timer_) return;
  ack_timer_ = timers_.after(pace_.interval - since_last, [this] {
    ack_timer_.reset();
    send_ack({});
  });
}

void Follower::cancel_ack() {
  if (ack_timer_) timers_.cancel(*ack_timer_);
  ack_timer_.reset();
  unacknowledged_ = 0;
}

void Follower::send_ack(const std::vector<v1::Nack>& nacks) {
  cancel_ack();
  last_ack_ = clock_.now();
  v1::WatchRequest request;
  *request.mutable_ack()->mutable_position() = mirror_.position(false);
  for (const v1::Nack& nack : nacks) {
    refused_lines_.warn(*last_ack_, "record refused",
                        {{"type", nack.type()}, {"key", nack.key()}, {"reason", nack.reason()}});
    *request.mutable_ack()->add_nacks() = nack;
  }
  port_->send(std::move(request));
}

}  // namespace meshdns::federation
