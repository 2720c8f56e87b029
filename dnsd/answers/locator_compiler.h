#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "common/model/records.h"
#include "dnsd/answers/client_claims.h"
#include "dnsd/answers/host_compiler.h"
#include "dnsd/answers/locator.h"
#include "dnsd/answers/settings.h"

namespace meshdns::answers {

/// The localities that clients can have. Each has a number, in the order in which they were added.
class Places {
 public:
  /// Returns the number of a place, and adds the place if it is new.
  std::uint32_t id_of(const model::Locality& place);
  /// Returns all places by number.
  const std::vector<model::Locality>& all() const { return all_; }

 private:
  std::map<model::Locality, std::uint32_t> ids_;
  std::vector<model::Locality> all_;
};

/// The part of the records that says where clients are.
struct LocatorInput {
  ClientClaims claims;
  std::vector<Prefix> node_prefixes;  // may ask for explanations: see locator_input()
  Clusters clusters;
};
/// Returns the locator's part of the records.
LocatorInput locator_input(const model::Records& records);

// How it works. Everything that may decide where a client is gets settled in advance, so that a lookup is one search in
// a sorted list. Nodes and clusters claim prefixes that contain each other; cutting them into ranges that do not
// overlap also yields the ECS scope: the length of the range that decided.
//
//   claims   10.0.0.0/14 eu                  ranges   10.0.0.0/16  eu
//            10.1.0.0/16 us                           10.1.0.0/16  us
//                                                     10.2.0.0/15  eu     (and unknown ranges around them)
//
//   1. cut      halves the address space again and again; a part without a claim inside is one range
//   2. verdict  one for each (listener, range): listener, then claim, then the server's own locality. Parts that the
//               first source leaves empty come from the next one, if both agree
//   3. coarse   one for each (granularity, listener, range), for trusted forwarders without a client subnet
//   4. alternatives  where several clusters claim a range: the verdict for a forwarder of each such cluster
//
//   exact[listener * ranges + range]       coarse[(granularity * listeners + listener) * ranges + range]
//
// Not done: there is no trie at query time, and ranges with equal verdicts are not joined, because a range is also the
// ECS scope and has to be a prefix. The lists are compiled again as a whole when a node or cluster changes.

/// Compiles the locator: finds for every (listener, range of addresses) where clients are. The verdicts have one
/// listener more than is configured, without a locality: it stands for questions from elsewhere (meshdnsctl).
/// places: gets the places of all verdicts
/// source: docs/design.md section 3, RFC 7871 7.2.1 (overlapping entries)
Locator compile_locator(const LocatorInput& input, const AnswerSettings& settings, Places& places);

}  // namespace meshdns::answers
