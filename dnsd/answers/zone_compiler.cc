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
std::uint32_t zone_holding(const AnswerTable& table, const Name& name) {
  std::uint32_t best = kNone;
  for (std::uint32_t i = 0; i < table.zones.size(); ++i) {
    if (!wire::is_at_or_below(name, table.zones[i].apex)) continue;
    if (best == kNone || table.zones[i].apex.size() > table.zones[best].apex.size()) best = i;
  }
  return best;
}

void add_record(AnswerTable& table, const StaticRecord& record) {
  const std::uint32_t zone = zone_holding(table, record.owner);
  if (zone == kNone) return;
  const Node* old = table.find(record.owner, wire::hash_name(record.owner));
  Node node = old == nullptr ? Node{.zone = zone, .host = kNone, .rrsets = {}} : *old;
  auto rrset = std::ranges::find(node.rrsets, record.type, &Rrset::type);
  if (rrset == node.rrsets.end()) rrset = node.rrsets.insert(rrset, {record.type, record.ttl, {}});
  rrset->ttl = std::min(rrset->ttl, record.ttl);  // one TTL per set (RFC 2181 5.2)
  if (std::ranges::find(rrset->rdata, record.rdata) == rrset->rdata.end()) rrset->rdata.push_back(record.rdata);
  put_with_ancestors(table, record.owner, node);
}

Zone zone_of(const ZoneSettings& settings, std::uint32_t serial) {
  Zone zone;
  zone.apex = name_of(settings.name);
  zone.serial = serial;
  zone.mname = name_of(settings.ns.empty() ? "ns." + settings.name : settings.ns.front().name);
  zone.rname = name_of(settings.contact.empty() ? "hostmaster." + settings.name : settings.contact);
  return zone;
}

void add_servers(const Settings& settings, const ZoneSettings& zone, AnswerTable& table) {
  std::vector<NameServer> servers = zone.ns;
  if (servers.empty()) servers.push_back({"ns." + zone.name, settings.own_addresses});
  for (const NameServer& server : servers) {
    const Name name = name_of(server.name);
    add_record(table, {name_of(zone.name), wire::Type::NS, kServerTtl, name});
    for (const IpAddress& address : server.addresses) {
      const wire::Type type = address.is_v4() ? wire::Type::A : wire::Type::AAAA;
      add_record(table, {name, type, kServerTtl, {address.bytes().begin(), address.bytes().end()}});
    }
  }
}

}  // namespace

void put_with_ancestors(AnswerTable& table, const Name& name, const Node& node) {
  table.put(name, node);
  wire::NameBytes rest(name);
  const wire::NameBytes apex(table.zones[node.zone].apex);
  while (rest.size() > apex.size()) {
    rest = rest.subspan(rest[0] + 1U);
    if (table.find(rest, wire::hash_name(rest)) != nullptr) return;
    table.put(rest, Node{.zone = node.zone, .host = kNone, .rrsets = {}});
  }
}

std::uint32_t zone_index(const AnswerTable& table, const std::string& zone) {
  const Name apex = name_of(zone);
  const auto found = std::ranges::find(table.zones, apex, &Zone::apex);
  MESHDNS_CHECK(found != table.zones.end());
  return static_cast<std::uint32_t>(found - table.zones.begin());
}

bool has_static_data(const AnswerTable& table, const std::string& name) {
  const auto bytes = wire::parse_name(name);
  if (!bytes) return true;  // no name at all: nothing else may stand there either
  const Node* node = table.find(*bytes, wire::hash_name(*bytes));
  return node != nullptr && !node->rrsets.empty();
}

void compile_zones(const Settings& settings, const std::vector<StaticRecord>& records, std::uint32_t serial,
                   AnswerTable& table) {
  for (const ZoneSettings& zone : settings.zones) table.zones.push_back(zone_of(zone, serial));
  for (const ZoneSettings& zone : settings.zones) {
    const Name apex = name_of(zone.name);
    table.put(apex, Node{.zone = zone_index(table, zone.name), .host = kNone, .rrsets = {}});
    add_servers(settings, zone, table);
  }
  for (const StaticRecord& record : records) add_record(table, record);
}

}  // namespace meshdns::answers
