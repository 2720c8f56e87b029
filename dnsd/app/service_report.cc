#include "dnsd/app/service_report.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/text.h"

namespace meshdns::dnsd::app {
namespace {

// The largest tables take seconds; a compile that takes longer than this is stuck.
constexpr Duration kLongestCompile = 60s;

}  // namespace

ServiceReport::ServiceReport(process::NotifyEnvironment notify, process::EventLoop& loop, Environment environment)
    : env_(environment), notify_(std::move(notify), env_.mesh.clock, loop) {}

void ServiceReport::ready() {
  notify_.ready({[this] { return status(); }, [this] { return alive(); }});
}

std::string ServiceReport::status() const {
  if (env_.source.standby()) return "standby: another instance leads, and DNS is not served here";
  if (!env_.process.ready) {
    return fmt::format("waiting for {}: DNS is not served yet",
                       env_.source.recovering() ? "all agents" : "a federation");
  }
  publish::Publisher& publisher = env_.mesh.publisher;
  return fmt::format("{}{}, revision {}{}{}", counted(publisher.hosts(), "host"), env_.source.reporters(),
                     env_.mesh.catalog.revision(), publisher.behind() ? ", publication is behind" : "",
                     env_.source.followed());
}

bool ServiceReport::alive() {
  const bool threads = env_.dns.alive();
  return threads && env_.mesh.publisher.busy() < kLongestCompile;
}

}  // namespace meshdns::dnsd::app
