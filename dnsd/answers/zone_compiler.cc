#include "dnsd/answers/zone_compiler.h"

#include <algorithm>

#include "common/base/check.h"

namespace meshdns::answers {
namespace {

constexpr std::uint32_t kServerTtl = 60;  // of NS records and the servers' addresses

using Name = std::vector<std::uint8_t>;

/// A name of the checked configuration.
Name name_of(const std::string& text) {
  const auto name = wire::parse_name(text);
  MESHDNS_CHECK(name.has_value());
  return *name;
}

/// The longest zone that the name is in; kNone = none
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
  const Node* old = names.find_node(record.owner);
  Node node = old == nullptr ? Node{.name = record.owner, .zone = zone, .rrsets = {}} : *old;
  auto rrset = std::ranges::find(node.rrsets, record.type, &Rrset::type);
  if (rrset == node.rrsets.end()) rrset = node.rrsets.insert(rrset, {record.type, record.ttl, {}});
  rrset->ttl = std::min(rrset->ttl, record.ttl);  // one TTL per set (RFC 2181 5.2)
  if (std::ranges::find(rrset->rdata, record.rdata) == rrset->rdata.end()) rrset->rdata.push_back(record.rdata);
  names.put(std::move(node));
  put_ancestors(names, record.owner, zone, [&](wire::NameBytes name) { return names.find_node(name) != nullptr; });
}

Zone zone_of(const ZoneSettings& settings) {
  Zone zone;
  zone.apex = name_of(settings.name);
  zone.mname = name_of(settings.ns.empty() ? "ns." + settings.name : settings.ns.front().name);
  zone.rname = name_of(settings.contact.empty() ? "hostmaster." + settings.name : settings.contact);
  return zone;
}

void add_servers(const Settings& settings, const ZoneSettings& zone, Names& names) {
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
    names.put({.name = {name.begin(), name.end()}, .zone = zone, .rrsets = {}});
  }
}

std::uint32_t zone_index(const Names& names, const std::string& zone) {
  const Name apex = name_of(zone);
  const auto found = std::ranges::find(names.zones, apex, &Zone::apex);
  MESHDNS_CHECK(found != names.zones.end());
  return static_cast<std::uint32_t>(found - names.zones.begin());
}

bool has_static_data(const Names& names, const std::string& name) {
  const auto bytes = wire::parse_name(name);
  if (!bytes) return true;  // no name at all: nothing else may stand there either
  const Node* node = names.find_node(*bytes);
  return node != nullptr && !node->rrsets.empty();
}

void compile_zones(const Settings& settings, const std::vector<StaticRecord>& records, Names& names) {
  for (const ZoneSettings& zone : settings.zones) names.zones.push_back(zone_of(zone));
  for (std::uint32_t i = 0; i < names.zones.size(); ++i) {
    names.put({.name = names.zones[i].apex, .zone = i, .rrsets = {}});
  }
  for (const ZoneSettings& zone : settings.zones) add_servers(settings, zone, names);
  for (const StaticRecord& record : records) add_record(names, record);
}

}  // namespace meshdns::answers
