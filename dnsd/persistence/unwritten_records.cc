#include "dnsd/persistence/unwritten_records.h"

namespace meshdns::persistence {

using catalog::RecordType;

std::optional<std::string> UnwrittenRecords::step(const model::Records& records, RecordType type,
                                                  const std::optional<std::string>& last) {
  return catalog::RecordKinds::visit(type, [&](auto kind) -> std::optional<std::string> {
    const auto& all = records.*kind.kMember;
    if (kind.kObject) return std::nullopt;  // Persistence stores operators' objects in a table of their own
    const auto at = last ? all.upper_bound(kind.key_of(*last)) : all.begin();
    return at == all.end() ? std::nullopt : std::optional<std::string>(kind.text_of(at->first));
  });
}

void UnwrittenRecords::walk(const model::Records& records, std::size_t most, std::vector<Name>& names) {
  while (names.size() < most) {
    const auto type = static_cast<RecordType>(walk_->kind);
    if (auto key = step(records, type, walk_->last)) {
      walk_->last = *key;
      names.emplace_back(type, std::move(*key));
    } else if (walk_->kind + 1 < catalog::kRecordTypes) {
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
