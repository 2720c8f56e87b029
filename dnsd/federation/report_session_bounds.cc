// The part of ReportSession that bounds one agent's stream: a Full that is arriving, unread replies, keys,
// durations.
#include <string>
#include <utility>

#include "common/convert/out_of_bounds.h"
#include "common/log/log.h"
#include "common/model/limits.h"
#include "dnsd/federation/report_session.h"

namespace meshdns::federation {

void ReportSession::send(v1::ReportReply reply) {
  const TimePoint now = agents_.env_.clock.now();
  if (unwritten_++ == 0) unwritten_since_ = now;
  port_->send(std::move(reply));
  if (!write_timer_ && !ended_) write_timer_ = agents_.env_.timers.after(kWritePatience, [this] { watch_writes(); });
}

void ReportSession::written() {
  unwritten_ = 0;
  if (!ended_ && std::exchange(waits_for_reader_, false)) port_->read_next();
}

void ReportSession::read_on() {
  if (unwritten_ <= kMostUnwritten || port_->drained()) return port_->read_next();
  waits_for_reader_ = true;
}

void ReportSession::watch_writes() {
  write_timer_.reset();
  if (ended_) return;
  if (port_->drained()) unwritten_ = 0;
  if (unwritten_ == 0) return;  // send() starts the timer again
  const TimePoint now = agents_.env_.clock.now();
  const Duration left = unwritten_since_ + kWritePatience - now;
  if (left > Duration::zero()) {
    write_timer_ = agents_.env_.timers.after(left, [this] { watch_writes(); });
    return;
  }
  ++agents_.counters_.cut;
  agents_.session_lines_.warn(now, "agent cut", {{"node", node_.key}, {"why", "reads nothing"}});
  ended_ = true;
  drop_full();
  port_->abort();
}

bool ReportSession::begin_part(const v1::Full& full) {
  if (full.part() == 0) {
    drop_full();
    part_ = 0;
    copy().clear();
  }
  const auto refuse = [this](v1::Goodbye::Reason reason, const char* why, Duration retry_after) {
    goodbye(reason, why, retry_after);
    return false;
  };
  if (!part_ || full.part() != *part_) {
    return refuse(v1::Goodbye::PROTOCOL_ERROR, "parts of a Full are missing", 1s);
  }
  ++*part_;
  if (full.part() == 0 && full.last()) return true;  // a Full in one part is applied at once: nothing has to be kept
  std::size_t bytes = 0;
  for (const std::string& record : full.endpoints()) bytes += record.size();
  if (arriving_.held() + bytes > kMostFullBytes) {
    return refuse(v1::Goodbye::OVERLOADED, "the records of a Full have more than 16 MiB", 60s);
  }
  if (!arriving_.grow(bytes)) {
    return refuse(v1::Goodbye::OVERLOADED, "too many agents send everything at once: come back later", 5s);
  }
  return true;
}

void ReportSession::await_part() {
  if (part_timer_) agents_.env_.timers.cancel(*part_timer_);
  part_timer_ = agents_.env_.timers.after(kPartPatience, [this] {
    part_timer_.reset();
    goodbye(v1::Goodbye::PROTOCOL_ERROR, "a Full was begun and not ended", 5s);
  });
}

void ReportSession::cancel_timers() {
  for (auto* timer : {&proof_timer_, &end_timer_, &part_timer_, &write_timer_}) {
    if (*timer) agents_.env_.timers.cancel(*std::exchange(*timer, std::nullopt));
  }
}

void ReportSession::drop_full() {
  if (part_timer_) agents_.env_.timers.cancel(*std::exchange(part_timer_, std::nullopt));
  part_.reset();
  arrived_ = {};
  arrived_bytes_ = 0;
  arrived_refusals_ = {};
  arriving_.release();
}

bool ReportSession::within_keys() {
  if (copy().size() <= kMostKeys) return true;
  copy().clear();
  goodbye(v1::Goodbye::OVERLOADED, "more than 100000 endpoints", 60s);
  return false;
}

void ReportSession::note_bounds(const v1::Endpoint& record) {
  const auto beyond = convert::out_of_bounds(record);
  if (!beyond) return;
  agents_.counters_.clamped += beyond.count;
  if (std::exchange(bounds_told_, true)) return;
  agents_.session_lines_.warn(agents_.env_.clock.now(), "durations of an agent are out of bounds: the bounds count",
                              {{"node", node_.key},
                               {"endpoint", catalog::in_quotes(record.key())},
                               {"field", beyond.field},
                               {"said", beyond.said}});
}

void ReportSession::keep_arrived(std::vector<model::Endpoint> endpoints) {
  for (model::Endpoint& endpoint : endpoints) {
    const std::size_t bytes = arrived_bytes_ + text_bytes(endpoint);
    if (arrived_.size() < model::kMostNodeEndpoints && bytes <= model::kMostNodeBytes) {
      arrived_bytes_ = bytes;
      arrived_.push_back(std::move(endpoint));
    } else {
      arrived_refusals_.add({endpoint.key, "",
                             "a node has at most " + std::to_string(model::kMostNodeEndpoints) + " endpoints with " +
                                 std::to_string(model::kMostNodeBytes >> 20) + " MiB of text",
                             false, true});
    }
  }
}

}  // namespace meshdns::federation
