#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/model/override.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::topology {

using Overrides = std::map<std::string, model::Override>;

/// Returns the override that decides for an endpoint. The most specific target wins; at one level Down wins over Drain,
/// and Drain over Up.
/// returns: null = no override is for the endpoint
/// source: docs/design.md section 4, step 2
const model::Override* word_for(const Overrides& overrides, const model::TargetSubject& subject);

/// The manager of overrides that only one process obeys, whatever its federation says.
inline constexpr const char* kLocalManager = "local";
/// Returns whether only this process obeys the override.
bool is_local(const model::Override& word);

/// Returns whether the override has expired. Only its origin deletes it then.
bool is_over(const model::Override& word, std::int64_t unix_seconds);
/// Returns the keys of the overrides that have expired.
std::vector<std::string> expired(const Overrides& overrides, std::int64_t unix_seconds);

/// Returns the override that freezes the mesh, the oldest of several; null = it is not frozen.
const model::Override* freeze_among(const Overrides& overrides);
/// Returns who freezes the mesh and why, "by alice: incident 42"; empty = it is not frozen.
std::string frozen_text(const Overrides& overrides);

/// Changes standing, text and doubt of a candidate as the override demands.
void obey(const model::Override& word, Candidate& candidate);

}  // namespace meshdns::topology
