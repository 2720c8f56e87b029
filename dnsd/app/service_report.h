#pragma once

#include <string_view>

#include "common/process/event_loop.h"
#include "common/process/service_notify.h"
#include "dnsd/app/mesh_view.h"
#include "dnsd/server/stall_watch.h"

namespace meshdns::app {

/// What meshdnsd tells the service manager. Signs of life are given by the control loop, and only while every DNS
/// thread goes round too: a stuck one ends in a restart.
/// thread: the loop's
class ServiceReport {
 public:
  /// parts outlive it
  ServiceReport(process::NotifyEnvironment environment, process::EventLoop& loop, const Parts& parts);

  /// The start is over, also where a replica still waits for its first records.
  void ready();
  void reload_begins() { notify_.reload_begins(); }
  /// result: one line
  void reload_ended(std::string_view result) { notify_.reload_ended(result); }
  void stopping() { notify_.stopping(); }

  /// "3 hosts, 6 agents, revision 41"
  static std::string status(const Parts& parts);

 private:
  bool alive();

  const Parts& parts_;
  server::StallWatch watch_;
  bool stalled_ = false;
  process::ServiceNotify notify_;
};

}  // namespace meshdns::app
