#include "dnsd/federation/report_session.h"

#include <utility>

// The part of ReportSession that tells the agent its settings, in Welcome and during the session.

namespace meshdns::federation {
namespace {

/// Returns the mappings in a form that can be compared; empty = they are not given.
std::string text_of(const v1::Settings& settings) {
  return settings.has_mappings() ? "given " + settings.mappings().SerializeAsString() : std::string();
}

}  // namespace

void ReportSession::write_settings(v1::Settings& out) {
  reports_.write_settings(node_.key, out);
  const auto& write = reports_.environment().mappings.write;
  if (!introduction_.maps_ports || !write) return;
  write(node_.key, out);
  if (out.has_mappings()) mappings_told_ = text_of(out);
}

void ReportSession::send_settings() {
  if (ended_) return;
  v1::ReportReply reply;
  write_settings(*reply.mutable_settings());
  send(std::move(reply));
}

void ReportSession::tell_mappings() {
  const auto& write = reports_.environment().mappings.write;
  if (ended_ || !introduction_.maps_ports || !write) return;
  v1::Settings now;
  write(node_.key, now);
  if (now.has_mappings() && text_of(now) != mappings_told_) send_settings();
}

}  // namespace meshdns::federation
