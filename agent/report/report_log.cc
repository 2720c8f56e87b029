#include "agent/report/report_log.h"

#include <utility>

#include "common/log/log.h"

namespace meshdns::report {

void ReportLog::refused(const Ack& ack, TimePoint now) {
  for (const Refused& refusal : ack.refused) {
    lines_.warn(
        now, refusal.is_claim ? "claim refused" : "endpoint refused",
        {{refusal.is_claim ? "node" : "endpoint", refusal.key}, {"field", refusal.field}, {"reason", refusal.reason}});
  }
}

void ReportLog::withheld(std::size_t count, const std::string& server) {
  if ((count > 0) == std::exchange(withholds_, count > 0)) return;
  if (count > 0) {
    log::warn("endpoints without a service are not reported",
              {{"server", server}, {"endpoints", count}, {"reason", "the federation is older than this agent"}});
  } else {
    log::info("endpoints without a service are reported", {{"server", server}});
  }
}

}  // namespace meshdns::report
