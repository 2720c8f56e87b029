#include "dnsd/answers/zone_compiler.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/model/clusterset.h"
#include "dnsd/wire/byte_order.h"

namespace meshdns::answers {
namespace {

constexpr std::uint32_t kServerTtl = 60;  // for NS records and the servers' addresses

using Name = std::vector<std::uint8_t>;

/// Parses a name of the configuration, which was checked before.
Name name_of(const std::string& text) {
  const auto name = wire::parse_name(text);
  MESHDNS_CHECK(name.has_value());
  return *name;
}

/// Returns the length of a name at the beginning of record data.
std::size_t length_of_name(wire::NameBytes bytes) {
  std::size_t at = 0;
  while (bytes[at] != 0) at += bytes[at] + std::size_t{1};
  return at + 1;
}

/// Returns the index of the longest zone that the name is in, apexes included; kNone = it is in none.
std::uint32_t zone_holding(const Names& names, const Name& name) {
  std::uint32_t best = kNone;
  for (std::uint32_t i = 0; i < names.zones.size(); ++i) {
    if (!wire::is_at_or_below(name, names.zones[i].apex)) continue;
    if (best == kNone || names.zones[i].apex.size() > names.zones[best].apex.size()) best = i;
  }
  return best;
}

void add_record(Names& names, const StaticRecord& record) {
  const std::uint32_t zone = zone_holding(names, record.owner);
  if (zone == kNone) return;
  Node& node = names.node(record.owner, zone);
  auto rrset = std::ranges::find(node.rrsets, record.type, &Rrset::type);
  if (rrset == node.rrsets.end()) rrset = node.rrsets.insert(rrset, {record.type, record.ttl, {}});
  rrset->ttl = std::min(rrset->ttl, record.ttl);  // one TTL per set (RFC 2181 5.2)
  if (std::ranges::find(rrset->rdata, record.rdata) == rrset->rdata.end()) rrset->rdata.push_back(record.rdata);
  put_ancestors(names, record.owner, zone, [&](wire::NameBytes name) { return names.find_node(name) != nullptr; });
}

Zone zone_of(const ZoneSettings& settings) {
  Zone zone;
  zone.apex = name_of(settings.name);
  zone.mname = name_of(settings.ns.empty() ? "ns." + settings.name : settings.ns.front().name);
  zone.rname = name_of(settings.contact.empty() ? "hostmaster." + settings.name : settings.contact);
  return zone;
}

/// Adds the record that tells the version of the names of Multi-Cluster Services, if these are answered and no static
/// record of an operator tells it.
void add_version(const std::vector<ZoneSettings>& zones, Names& names) {
  constexpr std::uint32_t kTtl = 28800;  // as in the specification's example
  const Name owner = name_of(std::string(model::kClustersetVersionName));
  const Node* known = names.find_node(owner);
  if (known != nullptr && known->find(wire::Type::TXT) != nullptr) return;
  if (std::ranges::none_of(zones, [](const auto& zone) { return model::is_clusterset_zone(zone.name); })) return;
  std::vector<std::uint8_t> text = {static_cast<std::uint8_t>(model::kClustersetVersion.size())};
  text.insert(text.end(), model::kClustersetVersion.begin(), model::kClustersetVersion.end());
  add_record(names, {owner, wire::Type::TXT, kTtl, text});
}

/// Returns the zones to answer for: the settings', and one for the version of the names of Multi-Cluster Services if
/// these are answered and the name of the version is in none of the settings' zones.
std::vector<ZoneSettings> zones_of(const AnswerSettings& settings) {
  std::vector<ZoneSettings> out = settings.zones;
  const auto is_one = [](std::string_view name) {
    return [name](const ZoneSettings& zone) { return zone.name == name; };
  };
  const auto services = std::ranges::find_if(out, is_one(model::kClustersetServices));
  if (services == out.end() || std::ranges::any_of(out, is_one(model::kClustersetZone))) return out;
  ZoneSettings version = *services;
  if (version.ns.empty()) version.ns = {{"ns." + version.name, settings.own_addresses}};
  if (version.contact.empty()) version.contact = "hostmaster." + version.name;
  version.name = model::kClustersetVersionName;
  out.push_back(std::move(version));
  return out;
}

/// Replaces the fields of a zone's SOA by those of the SOA in its zone file.
void take_soa(const StaticRecord& record, Names& names) {
  const auto zone = std::ranges::find(names.zones, record.owner, &Zone::apex);
  if (zone == names.zones.end()) return;
  const wire::NameBytes rdata = record.rdata;
  const std::size_t mname = length_of_name(rdata);
  const std::size_t rname = length_of_name(rdata.subspan(mname));
  zone->mname.assign(rdata.begin(), rdata.begin() + static_cast<std::ptrdiff_t>(mname));
  zone->rname.assign(rdata.begin() + static_cast<std::ptrdiff_t>(mname),
                     rdata.begin() + static_cast<std::ptrdiff_t>(mname + rname));
  const std::uint8_t* numbers = rdata.data() + mname + rname;
  zone->file_serial = wire::load32(numbers);
  zone->refresh = wire::load32(numbers + 4);
  zone->retry = wire::load32(numbers + 8);
  zone->expire = wire::load32(numbers + 12);
  zone->minimum = wire::load32(numbers + 16);
  zone->soa_ttl = record.ttl;
}

void add_servers(const AnswerSettings& settings, const ZoneSettings& zone, Names& names) {
  std::vector<NameServer> servers = zone.ns;
  if (servers.empty()) servers.push_back({"ns." + zone.name, settings.own_addresses});
  for (const NameServer& server : servers) {
    const Name owner = name_of(server.name);
    add_record(names, {name_of(zone.name), wire::Type::NS, kServerTtl, owner});
    for (const IpAddress& address : server.addresses) {
      const wire::Type type = address.is_v4() ? wire::Type::A : wire::Type::AAAA;
      add_record(names, {owner, type, kServerTtl, {address.bytes().begin(), address.bytes().end()}});
    }
  }
}

}  // namespace

void put_ancestors(Names& names, wire::NameBytes name, std::uint32_t zone,
                   const std::function<bool(wire::NameBytes)>& exists) {
  const std::size_t apex = names.zones[zone].apex.size();
  while (name.size() > apex) {
    name = name.subspan(name[0] + std::size_t{1});
    if (exists(name)) return;
    names.node(name, zone);
  }
}

std::uint32_t zone_index(const Names& names, const std::string& zone) {
  const Name apex = name_of(zone);
  const auto found = std::ranges::find(names.zones, apex, &Zone::apex);
  MESHDNS_CHECK(found != names.zones.end());
  return static_cast<std::uint32_t>(found - names.zones.begin());
}

std::uint32_t zone_above(const Names& names, wire::NameBytes name) {
  while (!name.empty() && name.front() != 0) {
    name = name.subspan(1 + std::size_t{name.front()});
    const auto zone = std::ranges::find_if(names.zones, [&](const Zone& at) { return wire::is_same(at.apex, name); });
    if (zone != names.zones.end()) return static_cast<std::uint32_t>(zone - names.zones.begin());
  }
  return kNone;
}

bool has_static_data(const Names& names, const std::string& name) {
  const auto bytes = wire::parse_name(name);
  if (!bytes) return true;  // not a name: no host can have it
  const Node* node = names.find_node(*bytes);
  return node != nullptr && !node->rrsets.empty();
}

void compile_zones(const AnswerSettings& settings, const std::vector<StaticRecord>& records, Names& names) {
  names.reserve(records.size());
  const std::vector<ZoneSettings> zones = zones_of(settings);
  for (const ZoneSettings& zone : zones) names.zones.push_back(zone_of(zone));
  for (std::uint32_t i = 0; i < names.zones.size(); ++i) names.node(names.zones[i].apex, i);
  for (const StaticRecord& record : records) {
    if (record.type != wire::Type::SOA) add_record(names, record);
  }
  add_version(zones, names);
  for (const ZoneSettings& zone : zones) {
    // NS records that an operator writes replace all of ours
    const Rrset* written = names.find_node(name_of(zone.name))->find(wire::Type::NS);
    if (written == nullptr) {
      add_servers(settings, zone, names);
    } else {
      names.zones[zone_index(names, zone.name)].mname = written->rdata.front();
    }
  }
  for (const StaticRecord& record : records) {
    if (record.type == wire::Type::SOA) take_soa(record, names);
  }
}

}  // namespace meshdns::answers
