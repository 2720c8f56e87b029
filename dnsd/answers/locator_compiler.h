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

/// The localities that clients can have, numbered.
class Places {
 public:
  std::uint32_t id_of(const model::Locality& place);
  const std::vector<model::Locality>& all() const { return all_; }

 private:
  std::map<model::Locality, std::uint32_t> ids_;
  std::vector<model::Locality> all_;
};

/// What of the records says where clients are.
struct LocatorInput {
  ClientClaims claims;
  std::vector<Prefix> node_prefixes;  // explained to by default: nodes' addresses, and what `allowedPrefixes` permits
  Clusters clusters;
};
LocatorInput locator_input(const model::Records& records);

/// Settles where every client is: cuts the configured and the reported prefixes into ranges that do not overlap, and
/// gives each (listener, range) its verdict. One listener more than configured, without a locality of its own, stands
/// for questions that come from elsewhere (meshdnsctl).
/// source: docs/design.md section 3, RFC 7871 7.2.1 (overlapping entries)
Locator compile_locator(const LocatorInput& input, const Settings& settings, Places& places);

}  // namespace meshdns::answers
