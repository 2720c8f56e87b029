#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/model/records.h"
#include "dnsd/answers/compiler.h"
#include "dnsd/topology/planner.h"

namespace meshdns::answers {

/// The whole input of a table. The references must outlive compile().
struct CompileInput {
  const model::Records& records;
  const AnswerSettings& settings;
  const std::vector<StaticRecord>& static_records;  // parse_records(settings.static_records)
  Version version;
  std::uint32_t serial = 1;  // see AnswerTable
  bool stale = false;        // see AnswerTable
  bool not_ready = false;    // see AnswerTable
  TimePoint now{};           // the time of the plans: slow start depends on it
};

/// A table, and the conflicts among the records.
struct Compiled {
  std::shared_ptr<const AnswerTable> table;
  std::vector<topology::Conflict> conflicts;
};

/// Compiles a table from records at once, without a table before. Pure.
Compiled compile(const CompileInput& input);

/// Sets which hosts the planner allows under these settings.
void configure(topology::Planner& planner, const Base& base);

}  // namespace meshdns::answers
