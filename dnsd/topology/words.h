#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/model/override.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::topology {

using Overrides = std::map<std::string, model::Override>;

/// The override that decides for an endpoint: the most specific target wins, at one level Down before Drain before Up;
/// null = none is for it.
/// source: docs/design.md section 4, step 2
const model::Override* word_for(const Overrides& overrides, const model::TargetSubject& subject);

/// Of overrides that one process alone obeys, whatever its federation says.
inline constexpr const char* kLocalManager = "local";
bool is_local(const model::Override& word);

/// Its time is over: its origin takes it away.
bool is_over(const model::Override& word, std::int64_t unix_seconds);
/// The keys of those.
std::vector<std::string> expired(const Overrides& overrides, std::int64_t unix_seconds);

/// The override that freezes the mesh, the oldest of several; null = it is not frozen.
const model::Override* freeze_among(const Overrides& overrides);
/// "by alice: incident 42"; empty = it is not frozen
std::string frozen_text(const Overrides& overrides);

/// Makes the candidate stand as an operator says.
void obey(const model::Override& word, Candidate& candidate);

}  // namespace meshdns::topology
