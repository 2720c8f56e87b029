#pragma once

#include <string>
#include <string_view>

#include "common/process/event_loop.h"
#include "common/process/service_notify.h"
#include "dnsd/app/dns_service.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/record_source.h"

namespace meshdns::dnsd::app {

/// Reports start, reload, stop and signs of life to the service manager (sd_notify). The control loop gives signs of
/// life only while every DNS thread makes progress and no compile is stuck, so that the service manager restarts a
/// stuck process.
/// thread: the loop's
class ServiceReport {
 public:
  /// All references must outlive the report.
  struct Environment {
    const ProcessState& process;
    const MeshState& mesh;
    const RecordSource& source;
    DnsService& dns;
  };

  /// `loop` must outlive the report.
  ServiceReport(process::NotifyEnvironment notify, process::EventLoop& loop, Environment environment);

  /// Reports that the start is over, even if a replica still waits for its first records.
  void ready();
  void reload_begins() { notify_.reload_begins(); }
  /// result: one line
  void reload_ended(std::string_view result) { notify_.reload_ended(result); }
  void stopping() { notify_.stopping(); }

  /// Returns a line like "3 hosts, 6 agents, revision 41".
  std::string status() const;

 private:
  /// Whether to give a sign of life.
  bool alive();

  Environment env_;
  process::ServiceNotify notify_;
};

}  // namespace meshdns::dnsd::app
