#include "dnsd/federation/agent_sessions.h"

#include "dnsd/federation/report_session.h"

namespace meshdns::federation {

void AgentSessions::opened(const std::shared_ptr<ReportSession>& session, TimePoint now) {
  sessions_[session.get()] = session;
  openings_.opened(session, now);
}

bool AgentSessions::closed(const ReportSession& session) {
  bool was_holder = false;
  if (const auto held = holders_.find(session.node()); held != holders_.end()) {
    const auto current = held->second.lock();
    was_holder = !current || current.get() == &session;
    if (was_holder) {
      holders_.erase(held);
      ++version_;
    }
  }
  sessions_.erase(&session);
  return was_holder;
}

std::shared_ptr<ReportSession> AgentSessions::holder(const std::string& node) const {
  const auto found = holders_.find(node);
  return found == holders_.end() ? nullptr : found->second.lock();
}

void AgentSessions::take_over(const std::string& node, const std::shared_ptr<ReportSession>& session) {
  if (const auto old = holder(node); old && old != session) {
    old->goodbye(v1::Goodbye::REPLACED, "a newer session speaks for " + node, 5s);
  }
  holders_[node] = session;
  ++version_;
}

std::set<std::string> AgentSessions::nodes() const {
  std::set<std::string> out;
  for (const auto& [node, session] : holders_) out.insert(node);
  return out;
}

void AgentSessions::each_holder(const Visit& visit) const {
  for (const auto& [node, session] : holders_) {
    if (const auto holder = session.lock()) visit(node, holder);
  }
}

void AgentSessions::end_silent(TimePoint now) {
  openings_.each_due(now, [](const std::shared_ptr<ReportSession>& session) {
    if (!session->said_hello()) session->goodbye(v1::Goodbye::PROTOCOL_ERROR, "no Hello within 10 s", 5s);
  });
}

void AgentSessions::shut_down() {
  auto sessions = sessions_;  // a copy: goodbye() may remove sessions
  for (const auto& [key, session] : sessions) {
    session->goodbye(v1::Goodbye::SHUTTING_DOWN, "the federation is ending", 1s);
  }
}

void AgentSessions::abandon() {
  for (const auto& [key, session] : sessions_) session->abandon();
}

void AgentSessions::take_pulses() {
  for (const std::shared_ptr<Pulse>& noted : pulses_.take()) {
    if (noted->session != nullptr) noted->session->take_pulse();
  }
}

}  // namespace meshdns::federation
