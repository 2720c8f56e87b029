#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/time/time.h"
#include "dnsd/topology/decide.h"
#include "dnsd/topology/geography.h"

namespace meshdns::answers {

/// Which state of the catalog an answer comes from.
struct Version {
  std::uint64_t revision = 0;
  TimePoint changed{};   // when this revision came to be
  std::string frozen{};  // "by alice: incident 42"; empty = the mesh is not frozen
};

/// A piece of an explain line: fixed text, then, if `since` is set, the time that has passed since then: "4h12m".
struct ExplainPiece {
  std::string text;
  std::optional<TimePoint> since;

  friend bool operator==(const ExplainPiece&, const ExplainPiece&) = default;
};

using ExplainLine = std::vector<ExplainPiece>;

/// A host as one client sees it. Refers to its parts.
struct Seat {
  const topology::HostPlan& host;
  const model::Locality& client;
  topology::Geography geography;
};

/// Lines 02.. of `_explain` (docs/operations.md, "Why did I get this address").
std::vector<ExplainLine> explain_lines(const Seat& seat, const topology::Decision& decision, const Version& version);

/// "cluster+zone", "region eu-2", "80% region=eu, any us-1"
std::string tier_name(const topology::Tier& tier);

/// "serving", "last_resort" or "out"
std::string state_word(topology::Standing standing);

/// What people are told of the endpoints of one tier. Refers to its parts; a tier has one, so that what all its
/// endpoints are compared with is found once.
class TierText {
 public:
  TierText(const Seat& seat, const topology::Decision& decision, const topology::Tier& tier);

  /// How an endpoint is answered: "slow-start 40%", "standby", "via gateway 10.1.0.1"; empty = as it is.
  std::string manner(std::uint32_t member) const;

 private:
  const Seat& seat_;
  const topology::Decision& decision_;
  const topology::Tier& tier_;
  std::uint32_t best_start_ = 1;  // what the most advanced serving endpoint has of its weight
};

/// Which clusters are in an order that a hash has drawn, because nobody knows how far they are; empty = none.
std::string distance_advice(const model::Locality& client, const topology::Decision& decision);

/// Why it stands so, for people; empty = nothing to add. blocked: its gateways are down for this client
std::string why_text(const topology::Candidate& candidate, bool blocked = false);

/// "5s" or "1s: 10.0.0.11 could come back (1 of 2 successes)"
std::string ttl_text(const topology::HostPlan& host, const topology::Decision& decision);

/// What is unusual, for an Extended DNS Error: "tier 1 of 0-3: nothing serving in cluster+zone", "spread: tier 0 60%,
/// tier 1 40%", "panic: ...", "last-resort: ..."; empty = nothing is.
std::vector<std::string> note_texts(const topology::Decision& decision);
/// "8 of 300": not every address is answered; empty = every one is. may_repeat: see topology::count_addresses
std::string cap_text(const topology::HostPlan& host, const topology::Decision& decision, bool may_repeat = true);
/// Both in one line
std::string note_text(const topology::HostPlan& host, const topology::Decision& decision);

/// What clients of a tier in use get of a family that it has no address of, though another tier has one: "AAAA of tier
/// 0: nothing, it has no IPv6 address (families together)". Empty = there is no such tier.
std::vector<std::string> family_texts(const topology::HostPlan& host, const topology::Decision& decision);

/// Why nothing is answered; empty = something is.
std::string_view emptiness_text(topology::Emptiness emptiness);

}  // namespace meshdns::answers
