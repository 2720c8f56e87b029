#include "dnsd/answers/answer_table.h"

#include <algorithm>
#include <cstring>

namespace meshdns::answers {
namespace {

std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

const Rrset* Node::find(wire::Type type) const noexcept {
  for (const Rrset& rrset : rrsets) {
    if (rrset.type == type) return &rrset;
  }
  return nullptr;
}

const Node* AnswerTable::find(wire::NameBytes name, std::uint64_t hash) const noexcept {
  if (slots_.empty()) return nullptr;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].entry != kNone; at = (at + 1) & mask) {
    if (slots_[at].tag != tag_of(hash)) continue;
    const Entry& entry = entries_[slots_[at].entry];
    if (std::ranges::equal(entry.name, name)) return &entry.node;
  }
  return nullptr;
}

void AnswerTable::prefetch(std::uint64_t hash) const noexcept {
  if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
}

Node& AnswerTable::put(wire::NameBytes name, Node node) {
  const std::uint64_t hash = wire::hash_name(name);
  if (const Node* old = find(name, hash)) {
    auto& place = const_cast<Node&>(*old);  // NOLINT: of our own entries_
    place = std::move(node);
    return place;
  }
  entries_.push_back({{name.begin(), name.end()}, std::move(node)});
  if (entries_.size() * 2 > slots_.size()) grow();
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].entry != kNone) {
    if (entries_[slots_[at].entry].name == entries_.back().name) return entries_.back().node;  // grow() put it
    at = (at + 1) & mask;
  }
  slots_[at] = {tag_of(hash), static_cast<std::uint32_t>(entries_.size() - 1)};
  return entries_.back().node;
}

void AnswerTable::grow() {
  slots_.assign(std::max<std::size_t>(16, slots_.size() * 2), Slot{});
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::uint64_t hash = wire::hash_name(entries_[i].name);
    std::size_t at = hash & mask;
    while (slots_[at].entry != kNone) at = (at + 1) & mask;
    slots_[at] = {tag_of(hash), static_cast<std::uint32_t>(i)};
  }
}

bool AnswerTable::may_explain(const IpAddress& client) const noexcept {
  return std::any_of(explain_allow.begin(), explain_allow.end(),
                     [&](const Prefix& prefix) { return prefix.contains(client); });
}

}  // namespace meshdns::answers
