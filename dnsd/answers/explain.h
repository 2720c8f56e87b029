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

/// The state of the catalog from which an answer comes.
struct Version {
  std::uint64_t revision = 0;
  TimePoint changed{};   // when the catalog got this revision
  std::string frozen{};  // "by alice: incident 42"; empty = the mesh is not frozen
};

/// A piece of an explain line: fixed text, then, if `since` is set, the time that has passed since then ("4h12m").
struct ExplainPiece {
  std::string text;
  std::optional<TimePoint> since;

  friend bool operator==(const ExplainPiece&, const ExplainPiece&) = default;
};

using ExplainLine = std::vector<ExplainPiece>;

/// A host as one client sees it. The plan, the locality and the geography's records must outlive this.
struct HostView {
  const topology::HostPlan& host;
  const model::Locality& client;
  topology::Geography geography;
};

/// Returns the lines of `_explain` from the second on.
/// source: docs/operations.md, "Find out why a client gets an address"
std::vector<ExplainLine> explain_lines(const HostView& view, const topology::Decision& decision,
                                       const Version& version);

/// Returns "cluster+zone", "region eu-2" or "80% region=eu, any us-1".
std::string tier_name(const topology::Tier& tier);

/// Returns "serving", "last_resort" or "out".
std::string state_word(topology::Standing standing);

/// Describes the endpoints of one tier for people. One object serves all endpoints of the tier, so that the standing of
/// the best of them is found once. The arguments must outlive this.
class TierText {
 public:
  TierText(const HostView& view, const topology::Decision& decision, const topology::Tier& tier);

  /// Returns how an endpoint is answered: "slow-start 40%", "standby", "via gateway 10.1.0.1"; empty = normally.
  std::string manner(std::uint32_t member) const;

 private:
  const HostView& view_;
  const topology::Decision& decision_;
  const topology::Tier& tier_;
  std::uint32_t best_start_ = 1;  // percent of its weight that the most advanced serving endpoint gets
};

/// Returns which clusters are ordered by a hash, because no distance to them is known; empty = there are none.
std::string distance_advice(const model::Locality& client, const topology::Decision& decision);

/// Returns why a candidate has its standing, for people; empty = there is nothing to add.
/// blocked: its gateways are down for this client
std::string why_text(const topology::Candidate& candidate, bool blocked = false);

/// Returns "5s", or "1s: 10.0.0.11 could come back (1 of 2 successes)".
std::string ttl_text(const topology::HostPlan& host, const topology::Decision& decision);

/// Returns what is abnormal in a decision, for an Extended DNS Error: "tier 1 of 0-3: nothing serving in cluster+zone",
/// "spread: tier 0 60%, tier 1 40%", "panic: ...", "last-resort: ...".
/// returns: empty = nothing is abnormal
std::vector<std::string> note_texts(const topology::Decision& decision);
/// Returns "8 of 300" where not every address is answered, otherwise an empty text.
/// may_repeat: see topology::count_addresses
std::string cap_text(const topology::HostPlan& host, const topology::Decision& decision, bool may_repeat = true);
/// Returns note_texts() and cap_text() in one line.
std::string note_text(const topology::HostPlan& host, const topology::Decision& decision);

/// Returns a text for each tier in use that lacks a family which another tier has: "AAAA of tier 0: nothing, it has no
/// IPv6 address (families together)".
std::vector<std::string> family_texts(const topology::HostPlan& host, const topology::Decision& decision);

/// Returns the endpoints that the client does not see, by cluster: "not exported: 2 endpoints of us-1, 1 of us-2".
/// returns: empty = the client sees all endpoints
std::string unexported_text(const HostView& view);

/// Returns why nothing is answered; empty = something is.
std::string_view emptiness_text(topology::Emptiness emptiness);

}  // namespace meshdns::answers
