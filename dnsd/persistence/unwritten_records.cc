#include "dnsd/persistence/unwritten_records.h"

#include <array>

namespace meshdns::persistence {
namespace {

using catalog::RecordType;

constexpr std::array kTypes = {RecordType::Node,    RecordType::NodeStatus,    RecordType::Endpoint,
                               RecordType::Service, RecordType::ClusterStatus, RecordType::ExternalName};

}  // namespace

template <class Map>
std::optional<std::string> UnwrittenRecords::step(const Map& map, const std::optional<std::string>& last) {
  const auto at = last ? map.upper_bound(*last) : map.begin();
  return at == map.end() ? std::nullopt : std::optional(at->first);
}

std::optional<std::string> UnwrittenRecords::step(const model::Records& records, RecordType type,
                                                  const std::optional<std::string>& last) {
  switch (type) {
    case RecordType::Node: return step(records.nodes, last);
    case RecordType::NodeStatus: return step(records.statuses, last);
    case RecordType::Endpoint: return step(records.endpoints, last);
    case RecordType::Service: {
      const auto& services = records.services;
      const auto at = last ? services.upper_bound(catalog::service_key_of(*last)) : services.begin();
      return at == services.end() ? std::nullopt : std::optional(catalog::service_key_text(at->first));
    }
    case RecordType::ClusterStatus: return step(records.cluster_statuses, last);
    case RecordType::ExternalName: return step(records.external_names, last);
    default: return std::nullopt;
  }
}

void UnwrittenRecords::walk(const model::Records& records, std::size_t most, std::vector<Name>& names) {
  while (names.size() < most) {
    const RecordType type = kTypes[walk_->kind];
    if (auto key = step(records, type, walk_->last)) {
      walk_->last = *key;
      names.emplace_back(type, std::move(*key));
    } else if (walk_->kind + 1 < kTypes.size()) {
      walk_ = {walk_->kind + 1, std::nullopt};
    } else {
      walk_.reset();
      return;
    }
  }
}

std::vector<UnwrittenRecords::Name> UnwrittenRecords::next(const model::Records& records, std::size_t most) {
  std::vector<Name> names;
  if (walk_) walk(records, most, names);
  while (names.size() < most && !round_.empty()) names.push_back(std::move(round_.extract(round_.begin()).value()));
  return names;
}

}  // namespace meshdns::persistence
