#include "dnsd/federation/watch_session.h"

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
  if (std::exchange(subscribed_, true)) return goodbye("Subscribe was said already", 5s);
  feed_.update();
  const TimePoint now = clock_.now();
  const v1::Origin& origin = feed_.origin();
  for (const v1::Position& held : subscribe.held()) {
    if (held.origin().cluster() != origin.cluster() || held.origin().instance() != origin.instance()) continue;
    if (held.epoch() == feed_.epoch() && feed_.delta(held.revision(), now)) {
      sent_ = held.revision();
      log::info("subscriber resumes", {{"from", sent_}, {"to", feed_.head()}});
      heartbeat();
      return pump();
    }
    if (held.buckets_size() != static_cast<int>(Feed::kBuckets)) continue;
    ++counters_.bucket_updates;
    send(feed_.differing({held.buckets().begin(), held.buckets().end()}, now));
    log::info("subscriber compares", {{"epoch", held.epoch()}, {"parts", parts_.size()}});
    return pump();
  }
  ++counters_.snapshots;
  send(feed_.snapshot(now));
  log::info("subscriber fills", {{"records", feed_.size()}, {"parts", parts_.size()}});
  pump();
}

void WatchSession::send(std::vector<EncodedReply> parts) {
  parts_.assign(std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
  sent_ = feed_.head();
}

void WatchSession::send_now(EncodedReply reply) {
  counters_.sent_bytes += reply->size();
  port_->send(std::move(reply));
}

void WatchSession::pump() {
  if (!subscribed_ || ended_ || !port_->drained()) return;
  if (parts_.empty()) {
    feed_.update();
    if (sent_ == feed_.head()) return;
    if (auto delta = feed_.delta(sent_, clock_.now())) {
      ++counters_.deltas;
      send(std::move(*delta));
    } else {
      ++counters_.snapshots;
      send(feed_.snapshot(clock_.now()));
    }
  }
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
  send_now(std::make_shared<const std::string>(reply.SerializeAsString()));
}

void WatchSession::goodbye(const std::string& why, Duration retry_after) {
  if (std::exchange(ended_, true)) return;
  v1::WatchReply reply;
  reply.mutable_goodbye()->set_reason(v1::Goodbye::SHUTTING_DOWN);
  reply.mutable_goodbye()->set_message(why);
  *reply.mutable_goodbye()->mutable_retry_after() = convert::to_wire(retry_after);
  send_now(std::make_shared<const std::string>(reply.SerializeAsString()));
  port_->close();
}

}  // namespace meshdns::federation
