#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "common/time/time.h"
#include "dnsd/federation/openings.h"
#include "dnsd/federation/pulse.h"

namespace meshdns::federation {

class ReportSession;

/// The sessions of all open agent streams, and which of them holds each node: reports for it now.
/// thread: control, except note()
class AgentSessions {
 public:
  using Visit = std::function<void(const std::string& node, const std::shared_ptr<ReportSession>& session)>;

  /// Adds the session of a new stream. Its Hello is due within Openings::kPatience.
  void opened(const std::shared_ptr<ReportSession>& session, TimePoint now);
  /// Drops the session of a stream that has ended.
  /// returns: whether the node has no holder any more because of that
  bool closed(const ReportSession& session);

  /// Returns the session that holds a node; null = none.
  std::shared_ptr<ReportSession> holder(const std::string& node) const;
  /// Makes a session the holder of a node, and ends the session that held the node before.
  void take_over(const std::string& node, const std::shared_ptr<ReportSession>& session);
  bool is_connected(const std::string& node) const { return holders_.contains(node); }
  std::size_t connected() const { return holders_.size(); }
  /// Returns the nodes that have a holder.
  std::set<std::string> nodes() const;
  /// Counts the changes of the holders.
  std::uint64_t version() const { return version_; }
  /// Calls `visit` with each node and its holder. A visit may end the session.
  void each_holder(const Visit& visit) const;

  std::size_t open() const { return sessions_.size(); }
  /// Ends the streams whose Hello is overdue.
  void end_silent(TimePoint now);
  /// Ends all sessions with Goodbye.
  void shut_down();
  /// Makes all sessions let go of timers and quotas, which end before the streams do.
  void abandon();

  /// Notes a heartbeat that reports nothing new.
  /// returns: false = the session has to handle the message
  /// thread: any
  bool note(const std::shared_ptr<Pulse>& pulse, const v1::AgentMessage& message, TimePoint now) {
    return pulses_.note(pulse, message, now);
  }
  /// Lets the sessions handle the heartbeats that were noted since the last call.
  void take_pulses();

 private:
  std::map<const ReportSession*, std::shared_ptr<ReportSession>> sessions_;
  std::unordered_map<std::string, std::weak_ptr<ReportSession>> holders_;
  std::uint64_t version_ = 0;
  Openings<ReportSession> openings_;
  PulseInbox pulses_;
};

}  // namespace meshdns::federation
