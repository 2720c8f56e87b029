#include "dnsd/federation/watch_session.h"

#include <algorithm>
#include <utility>

#include "common/convert/report_convert.h"
#include "common/log/log.h"

namespace meshdns::federation {

WatchSession::WatchSession(Feed& feed, WatchCounters& counters, const Clock& clock, std::shared_ptr<WatchPort> port)
    : feed_(feed), counters_(counters), clock_(clock), port_(std::move(port)) {
  ++counters_.sessions;
  port_->read_next();
}

void WatchSession::received(const v1::WatchRequest& request) {
  if (ended_) return;
  if (request.has_subscribe()) {
    subscribe(request.subscribe());
  } else if (request.has_ack()) {
    acked_ = request.ack().position().revision();
    counters_.nacks += static_cast<std::uint64_t>(request.ack().nacks_size());
    for (const v1::Nack& nack : request.ack().nacks()) {
      log::warn("subscriber refused", {{"type", nack.type()}, {"key", nack.key()}, {"reason", nack.reason()}});
    }
  }
  if (!ended_) port_->read_next();
}

void WatchSession::subscribe(const v1::Subscribe& subscribe) {
  // once more only to compare with what has settled meanwhile
  if (std::exchange(subscribed_, true) && !additive_) return goodbye("Subscribe was said already", 5s);
  feed_.update();
  const TimePoint now = clock_.now();
  for (const v1::Position& held : subscribe.held()) feed_.subscriber_holds(held, now);
  parts_.clear();
  confirmed_.clear();
  differs_.clear();
  if (feed_.recovering()) heartbeat();  // whoever holds nothing yet shall not take it for everything
  const bool resumed = std::ranges::any_of(subscribe.held(), [&](const auto& held) { return resume(held, now); });
  if (!resumed) send_everything(now);
  if (subscribe.held().empty()) differs_.clear();  // it holds what it is sent, and nothing else
  pump();
}

bool WatchSession::resume(const v1::Position& held, TimePoint now) {
  const v1::Origin& origin = feed_.origin();
  if (held.origin().cluster() != origin.cluster() || held.origin().instance() != origin.instance()) return false;
  if (held.epoch() == feed_.epoch() && feed_.delta(held.revision(), now)) {
    sent_ = held.revision();
    additive_ = false;
    log::info("subscriber resumes", {{"from", sent_}, {"to", feed_.head()}});
    heartbeat();
    return true;
  }
  if (held.buckets_size() != static_cast<int>(Feed::kBuckets)) return false;
  ++counters_.bucket_updates;
  additive_ = !feed_.settled();
  const auto differs = feed_.differences({held.buckets().begin(), held.buckets().end()});
  send(feed_.differing(differs, now));
  if (additive_) differs_ = differs;
  log::info("subscriber compares", {{"epoch", held.epoch()}, {"parts", parts_.size()}, {"additive", additive_}});
  return true;
}

void WatchSession::send_everything(TimePoint now) {
  ++counters_.snapshots;
  additive_ = !feed_.settled();
  // it may hold another origin's word for a record that is provisional here
  if (additive_) differs_.assign(Feed::kBuckets, true);
  send(feed_.snapshot(now));
  log::info("subscriber fills", {{"records", feed_.size()}, {"parts", parts_.size()}, {"additive", additive_}});
}

void WatchSession::confirmed(const std::string& node) {
  if (!differs_.empty()) confirmed_.insert(node);
}

void WatchSession::send(std::vector<EncodedReply> parts) {
  parts_.assign(std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
  sent_ = feed_.head();
}

void WatchSession::send_now(EncodedReply reply) {
  counters_.sent_bytes += reply->size();
  port_->send(std::move(reply));
}

void WatchSession::prepare() {
  feed_.update();
  const TimePoint now = clock_.now();
  if (sent_ == feed_.head()) {
    if (!confirmed_.empty()) send(feed_.confirmed(std::exchange(confirmed_, {}), differs_, now));
    return;
  }
  if (auto delta = feed_.delta(sent_, now)) {
    ++counters_.deltas;
    send(std::move(*delta));
  } else {
    send_everything(now);
  }
}

void WatchSession::pump() {
  if (!subscribed_ || ended_ || !port_->drained()) return;
  if (parts_.empty()) prepare();
  if (parts_.empty()) return;
  EncodedReply next = std::move(parts_.front());
  parts_.pop_front();
  send_now(std::move(next));
}

void WatchSession::heartbeat() {
  if (!subscribed_ || ended_ || !parts_.empty() || !port_->drained()) return;
  v1::WatchReply reply;
  v1::Position& head = *reply.mutable_status()->add_heads();
  *head.mutable_origin() = feed_.origin();
  head.set_epoch(feed_.epoch());
  head.set_revision(feed_.head());
  head.set_serial(feed_.serial());
  reply.mutable_status()->set_recovering(feed_.recovering());
  reply.mutable_status()->set_additive(!feed_.settled());
  for (const Brakes::Closed& closed : feed_.closed_brakes()) {
    v1::Brake& brake = *reply.mutable_status()->add_brakes();
    brake.set_name(closed.name);
    brake.set_covers(closed.covers);
    brake.set_reason(closed.reason);
    brake.set_held_back(closed.held);
  }
  send_now(std::make_shared<const std::string>(reply.SerializeAsString()));
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
