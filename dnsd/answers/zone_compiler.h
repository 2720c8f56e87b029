#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dnsd/answers/names.h"
#include "dnsd/answers/settings.h"
#include "dnsd/answers/zone_parser.h"

namespace meshdns::answers {

/// Adds zones to `names`: SOA, NS and the servers' addresses, and the static records.
/// requires: `names` is empty
void compile_zones(const AnswerSettings& settings, const std::vector<StaticRecord>& records, Names& names);

/// Adds the empty non-terminals between a name and its zone's apex (RFC 8020), up to the first name that exists.
/// exists: returns whether a name exists
void put_ancestors(Names& names, wire::NameBytes name, std::uint32_t zone,
                   const std::function<bool(wire::NameBytes)>& exists);

/// Returns the index of a zone.
/// requires: the zone exists
std::uint32_t zone_index(const Names& names, const std::string& zone);

/// Returns the index of the longest zone that a folded name is below; kNone = it is below none.
std::uint32_t zone_above(const Names& names, wire::NameBytes name);

/// Returns whether a name has static records, so that no host may have it. True also for a text that is not a name.
bool has_static_data(const Names& names, const std::string& name);

}  // namespace meshdns::answers
