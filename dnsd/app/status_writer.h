#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/kubernetes/client.h"
#include "common/log/reminder.h"
#include "common/process/event_loop.h"
#include "dnsd/resources/status_queue.h"

namespace meshdns::dnsd::app {

/// Sends the patches of a StatusQueue to the Kubernetes API, one after the other, when they are due. What is answered
/// in DNS does not depend on it: a status that cannot be written is tried again later, and said.
/// thread: the loop's
class StatusWriter {
 public:
  /// Returns the rule that a role needs to write the status at a path; empty = it is not known.
  using RuleFor = std::function<std::string(std::string_view path)>;

  /// All references must outlive the writer.
  StatusWriter(process::EventLoop& loop, const Clock& clock, kubernetes::Client& client, resources::StatusQueue& queue,
               RuleFor rule_for)
      : loop_(loop), clock_(clock), client_(client), queue_(queue), rule_for_(std::move(rule_for)) {}
  StatusWriter(const StatusWriter&) = delete;
  StatusWriter& operator=(const StatusWriter&) = delete;
  ~StatusWriter();

  /// Sends the next patch, or sets the timer. Call it whenever the queue has been told something.
  void write();

  /// Why the last status could not be written; empty = it was.
  const std::string& problem() const { return problem_; }
  std::uint64_t written() const { return written_; }
  std::uint64_t failed() const { return failed_; }

 private:
  /// path: of the patched status
  void patched(const std::string& path, const Result<kubernetes::Answer>& answer);
  void told(const std::string& problem);

  process::EventLoop& loop_;
  const Clock& clock_;
  kubernetes::Client& client_;
  resources::StatusQueue& queue_;
  const RuleFor rule_for_;
  std::optional<TimerId> timer_;
  std::string problem_;
  log::Reminder reminder_;
  std::uint64_t written_ = 0, failed_ = 0;
  kubernetes::Call patch_;
};

}  // namespace meshdns::dnsd::app
