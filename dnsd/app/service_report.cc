#include "dnsd/app/service_report.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/text.h"
#include "common/log/log.h"
#include "dnsd/app/replica.h"

namespace meshdns::app {
namespace {

// The largest tables take seconds; a compile that takes longer than this is stuck.
constexpr Duration kLongestCompile = 60s;

}  // namespace

ServiceReport::ServiceReport(process::NotifyEnvironment environment, process::EventLoop& loop, const Parts& parts)
    : parts_(parts), notify_(std::move(environment), parts.clock, loop) {}

void ServiceReport::ready() {
  notify_.ready({[this] { return status(parts_); }, [this] { return alive(); }});
}

std::string ServiceReport::status(const Parts& parts) {
  if (!parts.ready) {
    const char* whom = parts.recovery != nullptr && parts.recovery->recovering() ? "all agents" : "a federation";
    return fmt::format("waiting for {}: DNS is not served yet", whom);
  }
  std::string out = counted(parts.publisher->hosts(), "host");
  if (parts.agents != nullptr) out += ", " + counted(parts.agents->connected(), "agent");
  out += fmt::format(", revision {}", parts.catalog->revision());
  if (parts.publisher->behind()) out += ", publication is behind";
  if (parts.replica == nullptr) return out;
  return out + (parts.replica->connected() ? ", following " : ", without a federation, last tried: ") +
         parts.replica->server();
}

bool ServiceReport::alive() {
  if (parts_.dns == nullptr) return parts_.publisher->busy() < kLongestCompile;
  const auto stalled = watch_.look(parts_.dns->ticks());
  if (stalled.empty() == stalled_) {
    stalled_ = !stalled_;
    if (stalled_) {
      log::error("a DNS thread stands still", {{"threads", stalled.size()}, {"first", stalled.front()}});
    } else {
      log::info("all DNS threads go on");
    }
  }
  return !stalled_ && parts_.publisher->busy() < kLongestCompile;
}

}  // namespace meshdns::app
