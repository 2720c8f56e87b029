#include "dnsd/persistence/stored_record.h"

#include <utility>

#include "dnsd/federation/record_codec.h"

namespace meshdns::persistence {

using catalog::RecordType;

bool is_stored(RecordType type) { return !catalog::is_object(type); }

namespace {

/// Returns the status of a node as it is stored. After a start the leases decide again whether a node that was not
/// silent is late.
model::NodeStatus kept(const model::NodeStatus& status) {
  model::NodeStatus out = status;
  if (!out.silent) {
    out.in_doubt = false;
    out.held.clear();
  }
  return out;
}
/// All other records are stored as they are.
template <class Record>
const Record& kept(const Record& record) {
  return record;
}

}  // namespace

std::optional<store::StoredRecord> stored_record(const model::Records& records, RecordType type, const std::string& key,
                                                 const StoredAt& at) {
  return catalog::RecordKinds::visit(type, [&](auto kind) -> std::optional<store::StoredRecord> {
    if constexpr (kind.kObject) {
      return std::nullopt;
    } else {
      const auto* found = catalog::find(kind, records, key);
      if (found == nullptr) return std::nullopt;
      const auto& record = kept(found->second);
      if constexpr (kind.kType == RecordType::NodeStatus) {
        if (record.empty()) return std::nullopt;
      }
      auto encoded = federation::encode(found->first, record);
      store::StoredRecord out{std::string(kind.kName), key, std::move(encoded.body), at.unix_seconds};
      if (encoded.since) out.unix_seconds -= (at.now - *encoded.since) / 1s;
      if constexpr (kind.kType == RecordType::Endpoint) {
        if (at.digest_of != nullptr && *at.digest_of) out.digest = (*at.digest_of)(record);
      }
      return out;
    }
  });
}

}  // namespace meshdns::persistence
