#pragma once

#include <optional>
#include <set>
#include <string>

#include "dnsd/app/kept_records.h"
#include "dnsd/app/objects.h"
#include "dnsd/catalog/catalog.h"

namespace meshdns::app {

/// The snapshot file of a federation: what a lost store is replaced by.
inline constexpr const char* kFederationSnapshot = "federation";

/// The newest snapshot in a folder, a replica's or a federation's own; nothing = there is none.
std::optional<KeptSet> newest_seed(const std::string& folder, std::int64_t unix_seconds);

/// What a seed may fill.
struct SeedTarget {
  catalog::Catalog& catalog;
  Objects& objects;
  const std::set<std::string>& listed;  // nodes of the configuration: it knows better
  bool lacks_objects = false;           // the store has kept none
};
/// Fills the catalog from a seed. Who is in doubt is not taken over, who is silent is.
void restore_seed(KeptSet seed, const SeedTarget& target, TimePoint now);

}  // namespace meshdns::app
