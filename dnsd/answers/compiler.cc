#include "dnsd/answers/compiler.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "common/base/text.h"
#include "dnsd/answers/zone_compiler.h"
#include "dnsd/topology/gateways.h"
#include "dnsd/topology/view.h"

namespace meshdns::answers {
namespace {

/// Returns the clients to whom answers are explained.
PrefixSet explain_allowed(const LocatorInput& input, const AnswerSettings& settings) {
  if (settings.explain_allow) return PrefixSet(*settings.explain_allow);
  std::vector<Prefix> out = input.node_prefixes;
  out.push_back(Prefix::of(IpAddress::v4(0x7F000000), 8));
  std::array<std::uint8_t, 16> loopback6{};
  loopback6.back() = 1;
  out.push_back(Prefix::host(IpAddress::v6_bytes(loopback6)));
  return PrefixSet(std::move(out));
}

/// Adds the keys under which two maps differ.
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

/// Returns the clusters whose distance or way from anywhere may have changed, in lower case: changed clusters, and
/// those that their records state a distance to.
std::set<std::string> affected(const ClusterRecords& before, const ClusterRecords& now) {
  std::set<std::string> changed;
  add_differences(before.clusters, now.clusters, changed);
  add_differences(before.statuses, now.statuses, changed);
  std::set<std::string> out;
  for (const std::string& name : changed) {
    out.insert(ascii_lower(name));
    for (const ClusterRecords* records : {&before, &now}) {
      if (const auto at = records->clusters.find(name); at != records->clusters.end()) {
        for (const auto& [other, distance] : at->second.distances) out.insert(ascii_lower(other));
      }
      if (const auto at = records->statuses.find(name); at != records->statuses.end()) {
        for (const auto& [other, distance] : at->second.distances) out.insert(ascii_lower(other));
      }
    }
  }
  return out;
}

/// Returns whether gateways, or which clusters reach them, have changed.
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

Base make_base(AnswerSettings settings, const std::vector<StaticRecord>& static_records) {
  const auto names = std::make_shared<Names>();
  compile_zones(settings, static_records, *names);
  return {std::move(settings), names};
}

std::shared_ptr<const AnswerTable> Compiler::apply(Update update) {
  begin(update);
  put(update.put);
  renew([] { return true; });
  return finish(update);
}

void Compiler::begin(Update& update) {
  for (const std::string& name : update.erased) erase(name);
  if (update.base) set_base(std::move(*update.base));
  if (update.clusters) set_clusters(std::move(*update.clusters));
  if (update.locator) set_locator(*update.locator);
}

void Compiler::put(const std::vector<topology::HostPlan>& plans) {
  for (const topology::HostPlan& plan : plans) put(plan);
}

void Compiler::renew(const std::function<bool()>& go_on) {
  do {
    renew_shapes();
    const std::uint32_t number = next_outdated();
    if (number == kNone) return;
    recompile(number);
  } while (go_on());
}

std::shared_ptr<const AnswerTable> Compiler::finish(const Update& update) {
  renew_shapes();
  if (names_changed_) rebuild_names();
  // from now on the pages belong to a table that workers read: the next change copies them again
  fresh_.clear();
  reverse_.publish();
  shapes_.write(table_);
  table_.version = update.version;
  table_.serial = update.serial;
  table_.stale = update.stale;
  table_.not_ready = update.not_ready;
  return std::make_shared<const AnswerTable>(table_);
}

std::shared_ptr<const AnswerTable> restore(KeptTable kept, Base base) {
  Compiler compiler;
  compiler.shapes_.restore(kept.shapes);
  compiler.set_base(std::move(base));
  compiler.extra_parts_ = topology::has_gateways(kept.clusters.clusters) ? topology::gateway_parts() : 0;
  compiler.table_.clusters = std::make_shared<const ClusterRecords>(std::move(kept.clusters));
  compiler.set_locator(kept.locator);
  if (compiler.table_.where->localities != kept.places) return nullptr;
  for (Ref<const Host>& host : kept.hosts) compiler.replace(compiler.new_number(), std::move(host));
  Update rest;
  rest.version = kept.version;
  rest.serial = kept.serial;
  rest.stale = kept.stale;
  return compiler.apply(std::move(rest));
}

void Compiler::set_base(Base base) {
  const auto apexes_of = [](const Names& names) {
    std::vector<std::vector<std::uint8_t>> out;
    for (const Zone& zone : names.zones) out.push_back(zone.apex);
    return out;
  };
  const bool other_zones = static_names_ == nullptr || apexes_of(*static_names_) != apexes_of(*base.names);
  settings_ = std::move(base.settings);
  static_names_ = std::move(base.names);
  names_changed_ = true;
  if (!other_zones) return;
  move_to_zones();
  set_reverse_zones();
}

void Compiler::move_to_zones() {
  for (std::uint32_t number = 0; number < numbers_; ++number) {
    const Host* host = table_.host(number);
    if (host == nullptr) continue;
    const std::uint32_t zone = zone_above(*static_names_, host->name());
    if (zone != kNone && zone == host->zone) continue;
    if (zone == kNone) {
      renew_host(number, {});
      free_.push_back(number);
    } else {
      replace(number, in_zone(*host, zone));  // an outdated host stays outdated
    }
  }
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

void Compiler::set_clusters(ClusterRecords clusters) {
  if (clusters == *table_.clusters) return;
  const std::set<std::string> changed = affected(*table_.clusters, clusters);
  const bool gateways = topology::has_gateways(clusters.clusters);
  // a gateway may stand for other clusters of its network, so the names of the changed clusters do not tell which hosts
  const bool all = (gateways || extra_parts_ != 0) && gateways_differ(*table_.clusters, clusters);
  const std::uint8_t extra = gateways ? topology::gateway_parts() : std::uint8_t{0};
  table_.clusters = std::make_shared<const ClusterRecords>(std::move(clusters));
  if (std::exchange(extra_parts_, extra) != extra) shapes_.retire_all();
  for (std::uint32_t number = 0; all && number < numbers_; ++number) {
    if (table_.host(number) != nullptr) outdated_first_.insert(number);
  }
  if (!all) outdate_clusters(changed);
}

void Compiler::outdate_clusters(const std::set<std::string>& clusters) {
  std::unordered_map<const LocalityList*, bool> known;  // many hosts share one list: each list is looked at once
  for (std::uint32_t number = 0; number < numbers_; ++number) {
    const Host* host = table_.host(number);
    if (host == nullptr) continue;
    const auto [at, added] = known.try_emplace(host->localities.get(), false);
    if (added) {
      at->second = std::ranges::any_of(host->localities->entries, [&](const auto& place) {
        return clusters.contains(ascii_lower(place->value.cluster));
      });
    }
    if (at->second) outdated_.insert(number);
  }
}

void Compiler::set_locator(const LocatorInput& input) {
  Places places;
  auto where = std::make_shared<Whereabouts>();
  where->locator = compile_locator(input, settings_, places);
  where->localities = places.all();
  for (const model::Locality& place : where->localities) where->places.push_back(place.text());
  where->explain_allow = explain_allowed(input, settings_);
  where->input = input;
  table_.where = std::move(where);
  shapes_.set_places(table_.where->localities, settings_.own);
  renew_shapes();
}

void Compiler::renew_shapes() {
  // While hosts move from a shape's predecessor, a third shape of the same parts would be needed; see Shapes.
  if (!outdated_.empty() || !shapes_.renew()) return;
  for (std::uint32_t number = 0; number < numbers_; ++number) {
    const Host* host = table_.host(number);
    if (host != nullptr && !shapes_.is_current(host->shape)) outdated_.insert(number);
  }
}

std::uint32_t Compiler::next_outdated() {
  if (!outdated_first_.empty()) return *outdated_first_.begin();
  return outdated_.empty() ? kNone : *outdated_.begin();
}

void Compiler::recompile(std::uint32_t number) {
  const Host* host = table_.host(number);
  const std::vector<std::uint8_t> name(host->name().begin(), host->name().end());
  const bool all_reached_anew = outdated_first_.contains(number);
  renew_host(number, compiled(plan_of(*host, ""), name, host->zone, all_reached_anew ? nullptr : host));
}

Ref<const Host> Compiler::compiled(const topology::HostPlan& plan, const std::vector<std::uint8_t>& name,
                                   std::uint32_t zone, const Host* before) {
  const auto parts = static_cast<std::uint8_t>(topology::view_parts(plan.policy) | extra_parts_);
  const std::uint16_t shape = shapes_.of(parts);
  const bool comparable = before != nullptr && before->shape == shape;
  return compile_host(plan,
                      {.name = name,
                       .zone = zone,
                       .shape = shape,
                       .views = shapes_.views(shape),
                       .geography = table_.clusters->geography(),
                       .before = comparable ? before : nullptr},
                      parts_);
}

void Compiler::put(const topology::HostPlan& plan) {
  const auto name = wire::parse_name(plan.name);
  if (!name) return;  // a host that no query can name; the planner makes none
  std::uint32_t number = number_of(*name);
  const Host* before = number == kNone ? nullptr : table_.host(number);
  if (number == kNone) {
    const auto [known, added] = added_.try_emplace(plan.name, kNone);
    if (added) known->second = new_number();
    number = known->second;
    names_changed_ = true;
  }
  renew_host(number, compiled(plan, *name, zone_index(*static_names_, plan.zone), before));
}

void Compiler::erase(const std::string& name) {
  const auto bytes = wire::parse_name(name);
  if (!bytes) return;
  const std::uint32_t number = number_of(*bytes);
  if (number == kNone) return;
  renew_host(number, {});
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
  if (before && before->timed) --table_.timed_hosts;
  if (before && before->panic) --table_.panic_hosts;
  if (at && at->spread) ++table_.spread_hosts;
  if (at && at->timed) ++table_.timed_hosts;
  if (at && at->panic) ++table_.panic_hosts;
  if (before) --table_.host_states[static_cast<std::size_t>(state_of(*before))];
  if (at) ++table_.host_states[static_cast<std::size_t>(state_of(*at))];
  if (at) shapes_.add_host(at->shape);
  if (before) shapes_.remove_host(before->shape);
  reverse_.change(number, before.get(), at.get(), table_.reverse);
}

void Compiler::renew_host(std::uint32_t number, Ref<const Host> host) {
  replace(number, std::move(host));
  outdated_first_.erase(number);
  outdated_.erase(number);
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
