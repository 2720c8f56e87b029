#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/time/time.h"
#include "dnsd/topology/decide.h"

namespace meshdns::answers {

/// Which state of the catalog an answer comes from.
struct Version {
  std::uint64_t revision = 0;
  TimePoint changed{};  // when this revision came to be
};

/// A piece of an explain line: fixed text, then, if `since` is set, the time that has passed since then: "4h12m".
struct ExplainPiece {
  std::string text;
  std::optional<TimePoint> since;

  friend bool operator==(const ExplainPiece&, const ExplainPiece&) = default;
};

using ExplainLine = std::vector<ExplainPiece>;

/// Lines 02.. of `_explain` (interface.md section 4).
std::vector<ExplainLine> explain_lines(const topology::HostPlan& host, const topology::Decision& decision,
                                       const Version& version);

/// "default ladder, no fence, no spill" or "ladder zone, any, ..."
std::string policy_text(const model::Policy& policy);

/// "serving" or "last_resort"
std::string state_word(topology::Standing standing);

/// Why it stands so, for people; empty = nothing to add
std::string why_text(const topology::Candidate& candidate);

/// "5s" or "1s: 10.0.0.11 could come back (1 of 2 successes)"
std::string ttl_text(const topology::HostPlan& host, const topology::Decision& decision);

/// What is unusual, in one line, for an Extended DNS Error: "tier 1 of 0-3: nothing serving in cluster+zone",
/// "last-resort: ...", "8 of 300"; empty = nothing is.
std::string note_text(const topology::HostPlan& host, const topology::Decision& decision);

/// Why nothing is answered; empty = something is.
std::string emptiness_text(topology::Emptiness emptiness);

}  // namespace meshdns::answers
