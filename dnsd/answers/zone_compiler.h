#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dnsd/answers/answer_table.h"
#include "dnsd/answers/settings.h"
#include "dnsd/answers/zone_parser.h"

namespace meshdns::answers {

/// Fills in the zones: SOA, NS and the servers' addresses, and the static records.
void compile_zones(const Settings& settings, const std::vector<StaticRecord>& records, std::uint32_t serial,
                   AnswerTable& table);

/// Adds a node, and the empty non-terminals between it and its zone's apex (RFC 8020). A node that is there keeps its
/// records.
void put_with_ancestors(AnswerTable& table, const std::vector<std::uint8_t>& name, const Node& node);

std::uint32_t zone_index(const AnswerTable& table, const std::string& zone);

/// The name has records that are not made from endpoints.
bool has_static_data(const AnswerTable& table, const std::string& name);

}  // namespace meshdns::answers
