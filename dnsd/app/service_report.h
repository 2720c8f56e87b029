#pragma once

#include <string_view>

#include "common/process/event_loop.h"
#include "common/process/service_notify.h"
#include "dnsd/app/mesh_view.h"
#include "dnsd/server/stall_watch.h"

namespace meshdns::app {

/// Reports start, reload, stop and signs of life to the service manager (sd_notify). The control loop gives signs of
/// life only while every DNS thread makes progress and no compile is stuck, so that the service manager restarts a
/// stuck process.
/// thread: the loop's
class ServiceReport {
 public:
  /// `loop` and `parts` must outlive it.
  ServiceReport(process::NotifyEnvironment environment, process::EventLoop& loop, const Parts& parts);

  /// Reports that the start is over, even if a replica still waits for its first records.
  void ready();
  void reload_begins() { notify_.reload_begins(); }
  /// result: one line
  void reload_ended(std::string_view result) { notify_.reload_ended(result); }
  void stopping() { notify_.stopping(); }

  /// Returns a line like "3 hosts, 6 agents, revision 41".
  static std::string status(const Parts& parts);

 private:
  /// Whether to give a sign of life; logs when DNS threads stop or continue to make progress.
  bool alive();

  const Parts& parts_;
  server::StallWatch watch_;
  bool stalled_ = false;
  process::ServiceNotify notify_;
};

}  // namespace meshdns::app
