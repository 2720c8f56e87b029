#include "agent/app/troubles.h"

#include <utility>

#include "common/base/text.h"
#include "common/log/log.h"

namespace meshdns::agent::app {

std::vector<std::string> troubles_of(const Monitor& monitor) {
  std::vector<std::string> out;
  for (const auto& [trouble, checks] : monitor.unknown()) {
    out.push_back(counted(checks, "check") + " cannot run: " + trouble);
  }
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
