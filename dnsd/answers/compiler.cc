#include "dnsd/answers/compiler.h"

#include <algorithm>
#include <set>
#include <utility>

#include "dnsd/answers/zone_compiler.h"
#include "dnsd/topology/gateways.h"
#include "dnsd/topology/view.h"

namespace meshdns::answers {
namespace {

std::vector<Prefix> explain_allowed(const LocatorInput& input, const Settings& settings) {
  if (settings.explain_allow) return *settings.explain_allow;
  std::vector<Prefix> out = input.node_prefixes;
  out.push_back(Prefix::of(IpAddress::v4(0x7F000000), 8));
  std::array<std::uint8_t, 16> loopback6{};
  loopback6.back() = 1;
  out.push_back(Prefix::host(IpAddress::v6_bytes(loopback6)));
  return out;
}

/// The keys under which two maps differ.
template <class V>
void add_differences(const std::map<std::string, V>& a, const std::map<std::string, V>& b,
                     std::set<std::string>& keys) {
  for (const auto& [key, value] : a) {
    const auto other = b.find(key);
    if (other == b.end() || !(other->second == value)) keys.insert(key);
  }
  for (const auto& [key, value] : b) {
    if (!a.contains(key)) keys.insert(key);
  }
}

/// Clusters whose endpoints are further, nearer, or reached in another way than before.
std::set<std::string> affected(const ClusterRecords& before, const ClusterRecords& now) {
  std::set<std::string> changed;
  add_differences(before.clusters, now.clusters, changed);
  add_differences(before.statuses, now.statuses, changed);
  std::set<std::string> out = changed;
  for (const std::string& name : changed) {
    for (const ClusterRecords* records : {&before, &now}) {
      if (const auto at = records->clusters.find(name); at != records->clusters.end()) {
        for (const auto& [other, distance] : at->second.distances) out.insert(other);
      }
      if (const auto at = records->statuses.find(name); at != records->statuses.end()) {
        for (const auto& [other, distance] : at->second.distances) out.insert(other);
      }
    }
  }
  return out;
}

/// Gateways, or who reaches them, are others than before.
bool gateways_differ(const ClusterRecords& before, const ClusterRecords& now) {
  const auto entrances = [](const ClusterRecords& records) {
    std::map<std::string, std::pair<std::string, std::vector<model::Gateway>>> out;
    for (const auto& [name, cluster] : records.clusters) out[name] = {cluster.locality.network, cluster.gateways};
    return out;
  };
  const auto down = [](const ClusterRecords& records) {
    std::map<std::string, std::set<IpAddress>> out;
    for (const auto& [name, status] : records.statuses) {
      if (!status.gateways_down.empty()) out[name] = status.gateways_down;
    }
    return out;
  };
  return entrances(before) != entrances(now) || down(before) != down(now);
}

}  // namespace

Base make_base(Settings settings, const std::vector<StaticRecord>& static_records) {
  const auto names = std::make_shared<Names>();
  compile_zones(settings, static_records, *names);
  return {std::move(settings), names};
}

std::shared_ptr<const AnswerTable> Compiler::apply(Update update) {
  for (const std::string& name : update.erased) erase(name);
  if (update.base) set_base(std::move(*update.base));
  Dirty dirty;
  if (update.clusters) set_clusters(std::move(*update.clusters), dirty);
  if (update.locator) set_locator(*update.locator, dirty);
  if (!dirty.empty()) recompile(dirty);
  for (const topology::HostPlan& plan : update.put) put(plan);
  if (names_changed_) rebuild_names();
  fresh_.clear();
  reverse_.publish();
  table_.classes.clear();
  table_.shapes.clear();
  for (const Shape& shape : shapes_) {
    table_.classes.push_back(shape.of_place);
    table_.shapes.push_back(shape.parts);
  }
  table_.version = update.version;
  table_.serial = update.serial;
  table_.stale = update.stale;
  table_.not_ready = update.not_ready;
  return std::make_shared<const AnswerTable>(table_);
}

std::shared_ptr<const AnswerTable> restore(KeptTable kept, Base base) {
  Compiler compiler;
  for (const std::uint8_t parts : kept.shapes) compiler.shapes_.push_back({parts, {}, nullptr});
  compiler.set_base(std::move(base));
  Compiler::Dirty ignored;  // there are no hosts yet
  compiler.extra_parts_ = topology::has_gateways(kept.clusters.clusters) ? topology::gateway_parts() : 0;
  compiler.table_.clusters = std::make_shared<const ClusterRecords>(std::move(kept.clusters));
  compiler.set_locator(kept.locator, ignored);
  if (compiler.table_.where->localities != kept.places) return nullptr;
  for (Ref<const Host>& host : kept.hosts) compiler.replace(compiler.new_number(), std::move(host));
  Update rest;
  rest.version = kept.version;
  rest.serial = kept.serial;
  rest.stale = kept.stale;
  return compiler.apply(std::move(rest));
}

void Compiler::set_base(Base base) {
  settings_ = std::move(base.settings);
  static_names_ = std::move(base.names);
  names_changed_ = true;
  set_reverse_zones();
}

void Compiler::set_reverse_zones() {
  std::vector<std::string> zones;
  for (const ZoneSettings& zone : settings_.zones) zones.push_back(zone.name);
  table_.reverse = {};
  reverse_.configure(zones);
  for (std::uint32_t number = 0; number < numbers_; ++number) {
    reverse_.change(number, nullptr, table_.host(number), table_.reverse);
  }
}

void Compiler::set_clusters(ClusterRecords clusters, Dirty& dirty) {
  if (clusters == *table_.clusters) return;
  dirty.clusters = affected(*table_.clusters, clusters);
  const bool gateways = topology::has_gateways(clusters.clusters);
  // a gateway may stand for other clusters of its network
  dirty.all = (gateways || extra_parts_ != 0) && gateways_differ(*table_.clusters, clusters);
  const std::uint8_t extra = gateways ? topology::gateway_parts() : std::uint8_t{0};
  table_.clusters = std::make_shared<const ClusterRecords>(std::move(clusters));
  if (std::exchange(extra_parts_, extra) != extra) shapes_.clear();  // all hosts get others
}

void Compiler::set_locator(const LocatorInput& input, Dirty& dirty) {
  Places places;
  auto where = std::make_shared<Whereabouts>();
  where->locator = compile_locator(input, settings_, places);
  where->localities = places.all();
  for (const model::Locality& place : where->localities) where->places.push_back(place.text());
  where->explain_allow = explain_allowed(input, settings_);
  where->input = input;
  table_.where = std::move(where);
  for (std::uint32_t i = 0; i < shapes_.size(); ++i) {
    if (fill(shapes_[i])) dirty.shapes.insert(i);
  }
}

bool Compiler::fill(Shape& shape) const {
  std::vector<model::Locality> of_place;
  std::set<model::Locality> views;
  for (const model::Locality& place : table_.where->localities) {
    of_place.push_back(topology::projected(place, shape.parts));
    views.insert(of_place.back());
  }
  std::vector<model::Locality> sorted(views.begin(), views.end());
  ClassOfPlace classes;
  for (const model::Locality& view : of_place) {
    classes.push_back(static_cast<std::uint16_t>(std::ranges::lower_bound(sorted, view) - sorted.begin()));
  }
  shape.of_place = std::make_shared<const ClassOfPlace>(std::move(classes));
  return std::exchange(shape.views, sorted) != sorted;
}

std::uint16_t Compiler::shape_of(const model::Policy& policy) {
  const auto parts = static_cast<std::uint8_t>(topology::view_parts(policy) | extra_parts_);
  auto shape = std::ranges::find(shapes_, parts, &Shape::parts);
  if (shape == shapes_.end()) {
    shape = shapes_.insert(shapes_.end(), Shape{parts, {}, nullptr});
    fill(*shape);
  }
  return static_cast<std::uint16_t>(shape - shapes_.begin());
}

bool Compiler::is_among(const Host& host, const std::set<std::string>& clusters) {
  return !clusters.empty() && std::ranges::any_of(host.localities->entries, [&](const auto& place) {
    return clusters.contains(place->value.cluster);
  });
}

void Compiler::recompile(const Dirty& dirty) {
  for (std::uint32_t number = 0; number < numbers_; ++number) {
    const Host* host = table_.host(number);
    if (host == nullptr) continue;
    const bool other_views = dirty.all || dirty.shapes.contains(host->shape);
    if (!other_views && !is_among(*host, dirty.clusters)) continue;
    const std::vector<std::uint8_t> name(host->name().begin(), host->name().end());
    replace(number, compiled(plan_of(*host, ""), name, host->zone, other_views ? nullptr : host));
  }
}

Ref<const Host> Compiler::compiled(const topology::HostPlan& plan, const std::vector<std::uint8_t>& name,
                                   std::uint32_t zone, const Host* before) {
  const std::uint16_t shape = shape_of(plan.policy);
  const bool comparable = before != nullptr && before->shape == shape;
  return compile_host(plan,
                      {.name = name,
                       .zone = zone,
                       .shape = shape,
                       .views = shapes_[shape].views,
                       .geography = table_.clusters->geography(),
                       .before = comparable ? before : nullptr},
                      parts_);
}

void Compiler::put(const topology::HostPlan& plan) {
  const auto name = wire::parse_name(plan.name);
  if (!name) return;  // longer than a name can be: the planner lets it through as an automatic host only
  std::uint32_t number = number_of(*name);
  const Host* before = number == kNone ? nullptr : table_.host(number);
  if (number == kNone) {
    const auto [known, added] = added_.try_emplace(plan.name, kNone);
    if (added) known->second = new_number();
    number = known->second;
    names_changed_ = true;
  }
  replace(number, compiled(plan, *name, zone_index(*static_names_, plan.zone), before));
}

void Compiler::erase(const std::string& name) {
  const auto bytes = wire::parse_name(name);
  if (!bytes) return;
  const std::uint32_t number = number_of(*bytes);
  if (number == kNone) return;
  replace(number, {});
  free_.push_back(number);
  names_changed_ = true;
}

void Compiler::replace(std::uint32_t number, Ref<const Host> host) {
  const std::size_t index = number / HostPage::kHosts;
  HostPage*& page = fresh_[index];
  if (page == nullptr) {
    page = new HostPage(*table_.pages[index]);
    table_.pages[index] = Ref<const HostPage>(page);
  }
  Ref<const Host>& at = page->hosts[number % HostPage::kHosts];
  const Ref<const Host> before = std::exchange(at, std::move(host));
  if (before && before->spread) --table_.spread_hosts;
  if (before && before->panic) --table_.panic_hosts;
  if (at && at->spread) ++table_.spread_hosts;
  if (at && at->panic) ++table_.panic_hosts;
  reverse_.change(number, before.get(), at.get(), table_.reverse);
}

std::uint32_t Compiler::number_of(wire::NameBytes name) const {
  return table_.names->find(wire::hash_name(name), [&](std::uint32_t id) {
    if ((id & Names::kNodeBit) != 0) return false;
    const Host* host = table_.host(id);
    return host != nullptr && wire::is_same(host->name(), name);
  });
}

std::uint32_t Compiler::new_number() {
  if (!free_.empty()) {
    const std::uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }
  if (numbers_ % HostPage::kHosts == 0) table_.pages.emplace_back(new HostPage);
  return numbers_++;
}

void Compiler::rebuild_names() {
  auto names = std::make_shared<Names>(*static_names_);
  names->reserve(static_names_->nodes().size() + numbers_);
  for (std::uint32_t number = 0; number < numbers_; ++number) {
    const Host* host = table_.host(number);
    if (host == nullptr) continue;
    names->put_host(host->name(), number);
    names->zones[host->zone].has_hosts = true;
  }
  for (std::size_t i = 0; i < settings_.zones.size(); ++i) {
    if (is_reverse_zone(settings_.zones[i].name)) names->zones[i].has_hosts = names->hosts() > 0;
  }
  const auto exists = [&](wire::NameBytes name) {
    return names->find_node(name) != nullptr || names->find(wire::hash_name(name), [&](std::uint32_t id) {
      return (id & Names::kNodeBit) == 0 && wire::is_same(table_.host(id)->name(), name);
    }) != kNone;
  };
  for (std::uint32_t number = 0; number < numbers_; ++number) {
    if (const Host* host = table_.host(number)) put_ancestors(*names, host->name(), host->zone, exists);
  }
  names->complete();
  table_.names = std::move(names);
  added_.clear();
  names_changed_ = false;
}

}  // namespace meshdns::answers
