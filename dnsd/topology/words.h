#pragma once

#include <map>
#include <string>

#include "common/model/override.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::topology {

using Overrides = std::map<std::string, model::Override>;

/// The override that decides for an endpoint: the most specific target wins, at one level Down before Drain before Up;
/// null = none is for it.
/// source: design.md section 4, step 2
const model::Override* word_for(const Overrides& overrides, const model::TargetSubject& subject);

/// Makes the candidate stand as an operator says.
void obey(const model::Override& word, Candidate& candidate);

}  // namespace meshdns::topology
