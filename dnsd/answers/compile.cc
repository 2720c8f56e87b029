#include "dnsd/answers/compile.h"

#include <algorithm>
#include <map>
#include <set>

#include "common/base/text.h"
#include "dnsd/answers/locator_compiler.h"
#include "dnsd/answers/set_compiler.h"
#include "dnsd/answers/zone_compiler.h"
#include "dnsd/topology/view.h"

namespace meshdns::answers {
namespace {

/// The classes of clients that a shape of policy tells apart.
struct Shape {
  std::uint32_t index = 0;
  std::vector<model::Locality> classes;
};

/// Gives each place its class, per set of parts that some policy looks at.
class Shapes {
 public:
  Shapes(const std::vector<model::Locality>& places, AnswerTable& table) : places_(places), table_(table) {}

  const Shape& of(const model::Policy& policy) {
    const std::uint8_t parts = topology::view_parts(policy);
    const auto known = shapes_.find(parts);
    if (known != shapes_.end()) return known->second;
    Shape shape{static_cast<std::uint32_t>(table_.class_of_place.size()), {}};
    std::map<model::Locality, std::uint16_t> ids;
    std::vector<std::uint16_t> of_place;
    for (const model::Locality& place : places_) {
      const auto view = topology::projected(place, parts);
      const auto [at, added] = ids.emplace(view, static_cast<std::uint16_t>(ids.size()));
      if (added) shape.classes.push_back(view);
      of_place.push_back(at->second);
    }
    table_.class_of_place.push_back(std::move(of_place));
    return shapes_.emplace(parts, std::move(shape)).first->second;
  }

 private:
  const std::vector<model::Locality>& places_;
  AnswerTable& table_;
  std::map<std::uint8_t, Shape> shapes_;
};

bool same_answers(const Set& a, const Set& b) {
  return a.rows == b.rows && a.ttl == b.ttl && a.tiers == b.tiers && a.note == b.note && a.ede == b.ede;
}

void add_sets(const CompileInput& input, const topology::HostPlan& plan, const Shape& shape, Host& host) {
  for (const model::Locality& view : shape.classes) {
    Set set = compile_set(plan, topology::decide(plan, view, input.records.clusters), input.version);
    const auto equal = std::ranges::find(host.sets, set);
    host.set_of_class.push_back(static_cast<std::uint16_t>(equal - host.sets.begin()));
    if (equal == host.sets.end()) host.sets.push_back(std::move(set));
  }
  host.same_for_all = std::ranges::all_of(host.sets, [&](const Set& set) { return same_answers(set, host.sets[0]); });
}

std::vector<Prefix> explain_allowed(const CompileInput& input) {
  if (input.settings.explain_allow) return *input.settings.explain_allow;
  std::vector<Prefix> out = node_prefixes(input.records);
  out.push_back(Prefix::of(IpAddress::v4(0x7F000000), 8));
  std::array<std::uint8_t, 16> loopback6{};
  loopback6.back() = 1;
  out.push_back(Prefix::host(IpAddress::v6_bytes(loopback6)));
  return out;
}

void add_host(const CompileInput& input, const topology::HostPlan& plan, Shapes& shapes, AnswerTable& table) {
  const auto name = wire::parse_name(plan.name);
  if (!name) return;  // longer than a name can be: plan_hosts lets it through as an automatic host only
  const Shape& shape = shapes.of(plan.policy);
  Host host = compile_host(plan, *name);
  host.zone = zone_index(table, plan.zone);
  host.shape = shape.index;
  add_sets(input, plan, shape, host);
  const Node node{.zone = host.zone, .host = static_cast<std::uint32_t>(table.hosts.size()), .rrsets = {}};
  table.hosts.push_back(std::move(host));
  put_with_ancestors(table, *name, node);
}

}  // namespace

Compiled compile(const CompileInput& input) {
  const auto table = std::make_shared<AnswerTable>();
  compile_zones(input.settings, input.static_records, input.serial, *table);
  table->stale = input.stale;
  table->not_ready = input.not_ready;
  Places places;
  table->locator = compile_locator(input.records, input.settings, places);
  for (const model::Locality& place : places.all()) table->places.push_back(place.text());
  table->explain_allow = explain_allowed(input);

  topology::HostNaming naming{.zones = {}, .auto_hosts = input.settings.auto_hosts};
  for (const ZoneSettings& zone : input.settings.zones) naming.zones.push_back(zone.name);
  Compiled out;
  out.plan = topology::plan_hosts(input.records, naming,
                                  [&](const std::string& host) { return has_static_data(*table, host); });
  Shapes shapes(places.all(), *table);
  table->hosts.reserve(out.plan.hosts.size());
  for (const topology::HostPlan& plan : out.plan.hosts) add_host(input, plan, shapes, *table);
  out.table = table;
  out.places = places.all();
  return out;
}

}  // namespace meshdns::answers
