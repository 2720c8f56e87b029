#include "dnsd/answers/compile.h"

#include <utility>

#include "dnsd/answers/reverse_compiler.h"
#include "dnsd/answers/zone_compiler.h"

namespace meshdns::answers {

void configure(topology::Planner& planner, const Settings& settings, const std::vector<StaticRecord>& static_records) {
  topology::HostNaming naming{.zones = {}, .auto_hosts = settings.auto_hosts};
  for (const ZoneSettings& zone : settings.zones) {
    if (!is_reverse_zone(zone.name)) naming.zones.push_back(zone.name);
  }
  const auto names = std::make_shared<Names>();
  compile_zones(settings, static_records, *names);
  planner.configure(std::move(naming), [names](const std::string& host) { return has_static_data(*names, host); });
}

Compiled compile(const CompileInput& input) {
  topology::Planner planner(input.records);
  configure(planner, input.settings, input.static_records);
  Update update;
  update.base = Base{input.settings, input.static_records};
  update.locator = locator_input(input.records);
  update.put = planner.take().put;
  update.version = input.version;
  update.serial = input.serial;
  update.stale = input.stale;
  update.not_ready = input.not_ready;
  Compiler compiler;
  return {compiler.apply(std::move(update)), planner.conflicts()};
}

}  // namespace meshdns::answers
