#include "agent/app/troubles.h"

#include <utility>

#include "common/base/text.h"
#include "common/log/log.h"
#include "common/time/duration_text.h"

namespace meshdns::agent::app {
namespace {

constexpr Duration kLongWait = 1s;

/// Returns why checks wait for their turn; empty = none has waited for long.
std::string waiting_text(const CheckRunner& runner) {
  const Duration wait = runner.longest_wait();
  if (wait < kLongWait) return {};
  const std::string out = counted(runner.waiting(), "check") + " cannot run yet, for up to " + age_text(wait) + ": ";
  if (runner.lacks_descriptors()) {
    return out + "checks may have " + counted(runner.limits().descriptors, "file descriptor") + " at one time";
  }
  return out + counted(runner.limits().in_flight, "check") + " may run at one time (probing.in_flight)";
}

}  // namespace

std::vector<std::string> troubles_of(const Monitor& monitor) {
  std::vector<std::string> out;
  for (const auto& [trouble, checks] : monitor.unknown()) {
    out.push_back(counted(checks, "check") + " cannot run: " + trouble);
  }
  const std::string waiting = waiting_text(monitor.runner());
  if (!waiting.empty()) out.push_back(waiting);
  return out;
}

void TroubleLog::look(std::vector<std::string> now) {
  const bool same = now.empty() == told_.empty();
  told_ = std::move(now);
  if (same) return;
  if (told_.empty()) {
    log::info("checks run again");
  } else {
    log::warn("checks cannot run", {{"problem", join(told_, "; ")}});
  }
}

}  // namespace meshdns::agent::app
