#include "dnsd/federation/follower.h"

#include <utility>

#include "common/convert/report_convert.h"
#include "common/log/log.h"

namespace meshdns::federation {

Follower::Follower(Mirror& mirror, const Clock& clock, Events events)
    : mirror_(mirror), clock_(clock), events_(std::move(events)), last_heard_(clock.now()) {}

void Follower::opened(std::shared_ptr<SubscribePort> port) {
  port_ = std::move(port);
  spoken_ = false;
  retry_after_ = Duration::zero();
  subscribe();
  port_->read_next();
}

void Follower::subscribe() {
  comparing_ = false;
  v1::WatchRequest request;
  request.mutable_subscribe()->set_mode(v1::Subscribe::REPLICA);
  if (!mirror_.empty() && !std::exchange(fill_anew_, false)) {
    *request.mutable_subscribe()->add_held() = mirror_.position(true);
  }
  port_->send(std::move(request));
}

void Follower::on_status(const v1::Status& status) {
  if (std::exchange(origin_recovers_, status.recovering()) != status.recovering()) {
    if (origin_recovers_) {
      log::warn("the federation is recovering: nothing goes because it does not know it");
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
  if (!std::exchange(spoken_, true)) events_.first_word();
  if (reply.has_batch()) {
    const auto nacks = mirror_.apply(reply.batch(), last_heard_);
    if (!nacks) return refuse(nacks.error());
    if (reply.batch().last()) {
      if (std::exchange(shrink_told_, false)) log::warn("no set is refused any more");
      acknowledge(*nacks);
      events_.changed();
      if (mirror_.wants_refill()) {
        fill_anew_ = true;
        return port_->close();
      }
    }
  } else if (reply.has_status()) {
    on_status(reply.status());
  } else if (reply.has_goodbye()) {
    retry_after_ = convert::from_wire(reply.goodbye().retry_after());
  }
  port_->read_next();
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
  port_->close();
}

void Follower::acknowledge(const std::vector<v1::Nack>& nacks) {
  v1::WatchRequest request;
  *request.mutable_ack()->mutable_position() = mirror_.position(false);
  for (const v1::Nack& nack : nacks) {
    if (nack.code() == v1::Nack::OVER_QUOTA) continue;  // there may be a million of them: the process tells once
    log::warn("record refused", {{"type", nack.type()}, {"key", nack.key()}, {"reason", nack.reason()}});
    *request.mutable_ack()->add_nacks() = nack;
  }
  port_->send(std::move(request));
}

}  // namespace meshdns::federation
