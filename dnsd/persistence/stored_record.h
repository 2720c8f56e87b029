#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "dnsd/catalog/catalog.h"
#include "dnsd/store/store.h"

namespace meshdns::persistence {

/// Returns the share of an endpoint in the digest that its agent and the federation compare; 0 = not known.
using DigestOf = std::function<std::uint64_t(const model::Endpoint&)>;

/// The time of an encoding, and the source of digests.
struct StoredAt {
  TimePoint now{};
  std::int64_t unix_seconds = 0;        // of `now`
  const DigestOf* digest_of = nullptr;  // null or empty = digests are not known
};

/// Whether a federation stores records of this type as records. Stored are the reports and measurements of agents, the
/// statuses of nodes (otherwise the endpoints of a dead node would be answered again after a start), and the last
/// addresses of external names. Operators' objects are stored separately.
bool is_stored(catalog::RecordType type);

/// Returns the record as it is now, encoded; nothing = there is no such record, or this one is not stored.
/// requires: is_stored(type)
std::optional<store::StoredRecord> stored_record(const model::Records& records, catalog::RecordType type,
                                                 const std::string& key, const StoredAt& at);

}  // namespace meshdns::persistence
