#pragma once

#include <optional>
#include <set>
#include <string>

#include "dnsd/catalog/catalog.h"
#include "dnsd/persistence/objects.h"
#include "dnsd/snapshot_file/kept_records.h"

namespace meshdns::persistence {

/// The names of the snapshot files of a federation and of a replica, from which a lost store is filled.
inline constexpr const char* kFederationSnapshot = "federation";
inline constexpr const char* kReplicaSnapshot = "replica";

/// Returns the newest snapshot in a folder, be it a replica's or a federation's; nothing = there is none.
std::optional<snapshot_file::KeptSet> newest_seed(const std::string& folder, std::int64_t unix_seconds);

/// The destination of a seed.
struct SeedTarget {
  catalog::Catalog& catalog;
  Objects& objects;
  const std::set<std::string>& listed;  // nodes that the configuration lists: their records are not restored
  bool lacks_objects = false;           // the store has no objects, or has lost some: take the seed's
};
/// Fills catalog and objects from a seed. The status of a silent node is restored, so that its endpoints stay the last
/// resort; all other statuses are dropped, as the leases judge those nodes again. The serial continues kMostUnwritten
/// after the seed's.
void restore_seed(snapshot_file::KeptSet seed, const SeedTarget& target, TimePoint now);

}  // namespace meshdns::persistence
