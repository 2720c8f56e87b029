#pragma once

#include <optional>
#include <set>
#include <string>

#include "dnsd/catalog/catalog.h"
#include "dnsd/persistence/objects.h"
#include "dnsd/snapshot_file/kept_records.h"

namespace meshdns::persistence {

/// The snapshot files of a federation and of a replica: what a lost store is replaced by.
inline constexpr const char* kFederationSnapshot = "federation";
inline constexpr const char* kReplicaSnapshot = "replica";

/// The newest snapshot in a folder, a replica's or a federation's own; nothing = there is none.
std::optional<snapshot_file::KeptSet> newest_seed(const std::string& folder, std::int64_t unix_seconds);

/// What a seed may fill.
struct SeedTarget {
  catalog::Catalog& catalog;
  Objects& objects;
  const std::set<std::string>& listed;  // nodes of the configuration: it knows better
  bool lacks_objects = false;           // the store has kept none
};
/// Fills the catalog from a seed. Who is in doubt is not taken over, who is silent is.
void restore_seed(snapshot_file::KeptSet seed, const SeedTarget& target, TimePoint now);

}  // namespace meshdns::persistence
