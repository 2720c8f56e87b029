#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/app/state_file.h"
#include "agent/probes/push_board.h"
#include "common/base/result.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

/// Returns the content of the file that keeps pushes over a restart: one line each.
std::string pushes_text(const std::vector<probes::SavedPush>& pushes);
/// Reads it back.
/// errors: DataLoss: "line 3 is no push"
Result<std::vector<probes::SavedPush>> read_pushes(const std::string& text);

/// Takes what services say to their ttl checks, and keeps it over a restart of the agent. A push that says something
/// new is kept at once; one that only repeats the last is kept within kRepeatDelay, because services repeat themselves
/// every few seconds.
/// thread: the loop's
class Pushes {
 public:
  static constexpr Duration kNewDelay = 100ms;  // several services that change together are written once
  static constexpr Duration kRepeatDelay = 30s;

  /// clock, timers, board: must outlive this
  Pushes(const Clock& clock, Timers& timers, probes::PushBoard& board, std::string path);
  /// Writes what is not kept yet.
  ~Pushes();
  Pushes(const Pushes&) = delete;
  Pushes& operator=(const Pushes&) = delete;

  /// Gives the board the pushes that an earlier run has kept.
  void load();
  /// key: of the endpoint
  void push(const std::string& key, health::Outcome outcome, const std::string& detail);

  const std::string& trouble() const { return file_.trouble(); }

 private:
  void save_in(Duration delay);
  void save();

  const Clock& clock_;
  Timers& timers_;
  probes::PushBoard& board_;
  StateFile file_;
  std::optional<TimerId> timer_;
  TimePoint due_{};  // while timer_ is set
};

}  // namespace meshdns::agent::app
