#include "dnsd/federation/watchers.h"

#include <utility>

namespace meshdns::federation {

std::shared_ptr<WatchSession> Watchers::open(std::shared_ptr<WatchPort> port) {
  auto session = std::make_shared<WatchSession>(feed_, counters_, clock_, std::move(port));
  sessions_[session.get()] = session;
  openings_.opened(session, clock_.now());
  if (shutting_down_) session->goodbye("the federation is ending", 1s);
  return session;
}

void Watchers::changed() {
  for (const auto& [key, session] : sessions_) session->pump();
}

void Watchers::confirmed(const std::string& node) {
  for (const auto& [key, session] : sessions_) session->confirmed(node);
}

void Watchers::heartbeat() {
  for (const auto& [key, session] : sessions_) session->heartbeat();
}

void Watchers::end_silent_streams() {
  openings_.each_due(clock_.now(), [this](const std::shared_ptr<WatchSession>& session) {
    if (session->subscribed()) return;
    if (session->ended()) return session->cut();
    session->goodbye("no Subscribe within 10 s", 5s, v1::Goodbye::PROTOCOL_ERROR);
    openings_.opened(session, clock_.now());  // it may never read that
  });
}

void Watchers::shut_down() {
  shutting_down_ = true;
  for (const auto& [key, session] : sessions_) session->goodbye("the federation is ending", 1s);
}

}  // namespace meshdns::federation
