#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/model/records.h"
#include "dnsd/answers/compiler.h"
#include "dnsd/topology/planner.h"

namespace meshdns::answers {

/// Everything that the answers follow from.
struct CompileInput {
  const model::Records& records;
  const Settings& settings;
  const std::vector<StaticRecord>& static_records;  // parse_records(settings.static_records)
  Version version;
  std::uint32_t serial = 1;  // see AnswerTable
  bool stale = false;        // see AnswerTable
  bool not_ready = false;    // see AnswerTable
  TimePoint now{};           // on which plans depend: slow start
};

struct Compiled {
  std::shared_ptr<const AnswerTable> table;
  std::vector<topology::Conflict> conflicts;
};

/// The table of these records at once, where none came before. Pure.
Compiled compile(const CompileInput& input);

/// Tells the planner which hosts these settings allow.
void configure(topology::Planner& planner, const Base& base);

}  // namespace meshdns::answers
