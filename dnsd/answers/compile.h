#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/model/records.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/answers/explain.h"
#include "dnsd/answers/settings.h"
#include "dnsd/answers/zone_parser.h"
#include "dnsd/topology/plan.h"

namespace meshdns::answers {

/// Everything that the answers follow from.
struct CompileInput {
  const model::Records& records;
  const Settings& settings;
  const std::vector<StaticRecord>& static_records;  // parse_records(settings.static_records)
  Version version;
  std::uint32_t serial = 1;  // of every zone's SOA
  bool stale = false;        // see AnswerTable
  bool not_ready = false;    // see AnswerTable
};

struct Compiled {
  std::shared_ptr<const AnswerTable> table;
  topology::Plan plan;                  // what the table was made from, for explain
  std::vector<model::Locality> places;  // by Located::place
};

/// Decides for every host and every class of clients, and lays the outcome out for the workers. Pure.
Compiled compile(const CompileInput& input);

}  // namespace meshdns::answers
