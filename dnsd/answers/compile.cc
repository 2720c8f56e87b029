#include "dnsd/answers/compile.h"

#include <utility>

#include "dnsd/answers/reverse_compiler.h"
#include "dnsd/answers/zone_compiler.h"

namespace meshdns::answers {

void configure(topology::Planner& planner, const Base& base) {
  topology::HostNaming naming{.zones = {}, .auto_hosts = base.settings.auto_hosts};
  for (const ZoneSettings& zone : base.settings.zones) {
    if (!is_reverse_zone(zone.name)) naming.zones.push_back(zone.name);
  }
  planner.configure(std::move(naming),
                    [names = base.names](const std::string& host) { return has_static_data(*names, host); });
}

Compiled compile(const CompileInput& input) {
  topology::Planner planner(input.records);
  Update update;
  update.base = make_base(input.settings, input.static_records);
  configure(planner, *update.base);
  update.locator = locator_input(input.records);
  update.clusters = cluster_records(input.records);
  update.put = planner.take(input.now).put;
  update.version = input.version;
  update.serial = input.serial;
  update.stale = input.stale;
  update.not_ready = input.not_ready;
  Compiler compiler;
  return {compiler.apply(std::move(update)), planner.conflicts()};
}

}  // namespace meshdns::answers
