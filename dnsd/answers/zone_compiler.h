#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dnsd/answers/names.h"
#include "dnsd/answers/settings.h"
#include "dnsd/answers/zone_parser.h"

namespace meshdns::answers {

/// Fills in the zones: SOA, NS and the servers' addresses, and the static records.
void compile_zones(const Settings& settings, const std::vector<StaticRecord>& records, Names& names);

/// Adds the empty non-terminals between a name and its zone's apex (RFC 8020), where nothing stands yet.
/// exists: whether a name is there already
void put_ancestors(Names& names, wire::NameBytes name, std::uint32_t zone,
                   const std::function<bool(wire::NameBytes)>& exists);

/// The index of a zone that exists.
std::uint32_t zone_index(const Names& names, const std::string& zone);

/// The index of the longest zone that a folded name is below; kNone = it is below none.
std::uint32_t zone_above(const Names& names, wire::NameBytes name);

/// The name has records that are not made from endpoints.
bool has_static_data(const Names& names, const std::string& name);

}  // namespace meshdns::answers
