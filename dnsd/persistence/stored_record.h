#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "dnsd/catalog/catalog.h"
#include "dnsd/store/store.h"

namespace meshdns::persistence {

/// What an endpoint as it is now adds to the sum that its agent and the federation compare; 0 = not known.
using DigestOf = std::function<std::uint64_t(const model::Endpoint&)>;

/// What a store keeps of a record, and how old it is.
struct StoredAt {
  TimePoint now{};
  std::int64_t unix_seconds = 0;
  const DigestOf* digest_of = nullptr;  // null or empty = nothing is known
};

/// Whether a federation stores records of this type: what agents report and measure, which node is silent (otherwise
/// the endpoints of a dead node would be answered again after a start), and what names resolved to last. Operators'
/// objects are stored by themselves, services follow from endpoints.
bool is_stored(catalog::RecordType type);

/// Returns the record as it is now, encoded; nothing = there is none, or nothing of it is stored.
/// requires: is_stored(type)
std::optional<store::StoredRecord> stored_record(const model::Records& records, catalog::RecordType type,
                                                 const std::string& key, const StoredAt& at);

}  // namespace meshdns::persistence
