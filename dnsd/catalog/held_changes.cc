#include "dnsd/catalog/held_changes.h"

namespace meshdns::catalog {
namespace {

template <class Kind>
void release_kind(HeldChanges& held, RecordTable& table, Kind kind) {
  for (const auto& [key, change] : held.of(kind).take()) write(table, kind, key, change.record);
}

}  // namespace

void release(HeldChanges& held, RecordTable& table) {
  // a node has to exist as long as its endpoints do: new nodes first, removed nodes last
  const auto nodes = held.nodes.take();
  for (const auto& [key, change] : nodes) {
    if (change.record) table.put(NodeKind{}, key, *change.record);
  }
  for (const auto& [key, change] : held.endpoints.take()) {
    if (change.record) {
      table.put_endpoint(*change.record, change.at);
    } else {
      table.erase_endpoint(key, change.at);
    }
  }
  release_kind(held, table, NodeStatusKind{});
  release_kind(held, table, ClusterStatusKind{});
  release_kind(held, table, ExternalNameKind{});
  for (const auto& [key, change] : nodes) {
    if (!change.record) table.erase(NodeKind{}, key);
  }
}

}  // namespace meshdns::catalog
