// The part of Mirror that encodes the held records for a snapshot file.
#include <algorithm>

#include "common/convert/report_convert.h"
#include "dnsd/federation/mirror.h"

namespace meshdns::federation {

using catalog::RecordType;

namespace {

// Endpoints are walked in the catalog, all other kinds in the index of held records: those before endpoints first, then
// those after them, beginning with this one.
constexpr auto kAfterEndpoint = static_cast<RecordType>(static_cast<unsigned>(RecordType::Endpoint) + 1);
static_assert(RecordType::Node < RecordType::Endpoint, "the catalog refuses an endpoint before its node");

}  // namespace

void Mirror::add(v1::Batch& batch, const Key& key, const HeldRecords::Record& held, TimePoint now) const {
  v1::Record& record = *batch.add_records();
  record.set_type(std::string(record_type_name(key.first)));
  record.set_key(key.second);
  record.set_revision(held.revision);
  record.set_body(body_of(key));
  if (const auto since = since_of(key)) {
    *record.mutable_in_state() = convert::to_wire(std::max(Duration::zero(), now - *since));
  }
}

bool Mirror::add_after(Key& cursor, v1::Batch& batch, std::size_t records, TimePoint now) const {
  const auto full = [&] { return static_cast<std::size_t>(batch.records_size()) >= records; };
  // in the order of types, because the catalog refuses an endpoint before its node
  if (cursor.first != RecordType::Endpoint) {
    const bool before = cursor.first < RecordType::Endpoint;
    for (auto at = held_.others().upper_bound(cursor); at != held_.others().end(); ++at) {
      if (before && at->first.first > RecordType::Endpoint) break;
      if (full()) return true;
      add(batch, at->first, at->second, now);
      cursor = at->first;
    }
    if (!before) return false;
    cursor = {RecordType::Endpoint, {}};
  }
  const auto& endpoints = catalog_.records().endpoints;
  for (auto at = endpoints.upper_bound(cursor.second); at != endpoints.end(); ++at) {
    if (full()) return true;
    cursor.second = at->first;
    if (const auto* held = held_.find(RecordType::Endpoint, at->first)) add(batch, cursor, *held, now);
  }
  cursor = {kAfterEndpoint, {}};
  return true;
}

Mirror::Blocks Mirror::blocks(TimePoint now, std::size_t records) const {
  v1::Batch head;
  *head.mutable_origin() = origin_;
  head.set_epoch(epoch_);
  head.set_to(revision_);
  head.set_serial(catalog_.serial());
  head.set_kind(v1::Batch::SNAPSHOT);
  head.set_last(true);
  head.set_additive(additive_);
  return [this, now, records, batch = head, cursor = Key{}, more = true]() mutable -> std::optional<std::string> {
    if (!more) return std::nullopt;
    more = add_after(cursor, batch, records, now);
    std::string piece = batch.SerializeAsString();
    batch.Clear();
    return piece;
  };
}

}  // namespace meshdns::federation
