#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/admin/agent.h"
#include "agent/report/grpc_reporter.h"
#include "agent/report/syncer.h"
#include "common/process/event_loop.h"

namespace meshdns::agent::app {

/// The end of an agent: ends the session with the federation, with or without the node's records, then the loop.
/// thread: the loop's
class Departure {
 public:
  /// The parts must outlive this.
  struct Parts {
    process::EventLoop& loop;
    report::Syncer& syncer;
    report::GrpcReporter& reporter;
    std::string node;  // its key
  };
  explicit Departure(Parts parts) : parts_(std::move(parts)) {}

  /// Whether stop() or leave() has begun to end the agent.
  bool begun() const { return begun_; }
  /// Ends the session and the loop.
  /// withdraws: whether the federation removes the node's records
  /// tells:     whether the federation is told of an end without withdrawal
  void stop(bool withdraws, bool tells);
  /// Withdraws the node's records at the first call; every call returns the progress.
  /// begins: called before the withdrawal begins
  admin::Leaving leave(const std::function<void()>& begins);
  /// The exit code of the process, after the loop has ended.
  int exit_code() const { return exit_code_; }

 private:
  void end_leaving(const std::string& server);

  Parts parts_;
  std::optional<admin::Leaving> leaving_;
  bool begun_ = false;
  int exit_code_ = 0;
};

}  // namespace meshdns::agent::app
