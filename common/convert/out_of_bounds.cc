#include "common/convert/out_of_bounds.h"

#include "common/convert/peer_bounds.h"
#include "common/convert/report_convert.h"

namespace meshdns::convert {
namespace {

using Wire = google::protobuf::Duration;

void check(OutOfBounds& out, const char* field, const Wire& duration, Duration least, Duration most) {
  const Duration said = from_wire(duration);
  if (said >= least && said <= most) return;
  if (out.count++ > 0) return;
  out.field = field;
  out.said = said;
}

void check(OutOfBounds& out, const v1::Settings& settings) {
  if (settings.has_heartbeat()) {
    check(out, "heartbeat", settings.heartbeat(), kShortestHeartbeat, kLongestHeartbeat);
  }
  for (const v1::Target& target : settings.measure()) {
    if (target.has_interval()) check(out, "measure.interval", target.interval(), kShortestInterval, kLongestInterval);
  }
}

void check(OutOfBounds& out, const v1::Goodbye& goodbye) {
  check(out, "retry_after", goodbye.retry_after(), Duration::zero(), kLongestRetry);
}

}  // namespace

OutOfBounds out_of_bounds(const v1::Endpoint& endpoint) {
  OutOfBounds out;
  check(out, "health.in_state", endpoint.health().in_state(), Duration::zero(), kLongestState);
  check(out, "health.drain_left", endpoint.health().drain_left(), Duration::zero(), kLongestDrain);
  return out;
}

OutOfBounds out_of_bounds(const v1::ReportReply& reply) {
  OutOfBounds out;
  if (reply.has_welcome()) check(out, reply.welcome().settings());
  if (reply.has_settings()) check(out, reply.settings());
  if (reply.has_goodbye()) check(out, reply.goodbye());
  return out;
}

OutOfBounds out_of_bounds(const v1::WatchReply& reply) {
  OutOfBounds out;
  for (const v1::Record& record : reply.batch().records()) {
    check(out, "in_state", record.in_state(), Duration::zero(), kLongestState);
  }
  if (reply.has_goodbye()) check(out, reply.goodbye());
  return out;
}

}  // namespace meshdns::convert
