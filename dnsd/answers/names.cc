#include "dnsd/answers/names.h"

#include <algorithm>
#include <bit>

namespace meshdns::answers {

const Rrset* Node::find(wire::Type type) const noexcept {
  for (const Rrset& rrset : rrsets) {
    if (rrset.type == type) return &rrset;
  }
  return nullptr;
}

const Node* Names::find_node(wire::NameBytes name) const noexcept {
  const std::uint32_t id = find(wire::hash_name(name), [&](std::uint32_t candidate) {
    return (candidate & kNodeBit) != 0 && std::ranges::equal(nodes_[candidate & ~kNodeBit].name, name);
  });
  return id == kNone ? nullptr : &nodes_[id & ~kNodeBit];
}

void Names::put(Node node) {
  Node& place = this->node(node.name, node.zone);
  place = std::move(node);
}

Node& Names::node(wire::NameBytes name, std::uint32_t zone) {
  if (const Node* known = find_node(name)) return nodes_[static_cast<std::size_t>(known - nodes_.data())];
  nodes_.push_back({.name = {name.begin(), name.end()}, .zone = zone, .rrsets = {}});
  add(wire::hash_name(name), kNodeBit | static_cast<std::uint32_t>(nodes_.size() - 1));
  return nodes_.back();
}

void Names::put_host(wire::NameBytes name, std::uint32_t host) {
  ++hosts_;
  add(wire::hash_name(name), host);
}

void Names::reserve(std::size_t names) {
  hashes_.reserve(names);
  ids_.reserve(names);
  const std::size_t slots = std::bit_ceil(2 * names + 1);
  if (slots > slots_.size()) resize(slots);
}

void Names::add(std::uint64_t hash, std::uint32_t id) {
  hashes_.push_back(hash);
  ids_.push_back(id);
  if (hashes_.size() * 2 > slots_.size()) return resize(std::max<std::size_t>(16, slots_.size() * 2));
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].id != kNone) at = (at + 1) & mask;
  slots_[at] = {tag_of(hash), id};
}

void Names::resize(std::size_t slots) {
  slots_.assign(slots, Slot{});
  const std::size_t mask = slots - 1;
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    std::size_t at = hashes_[i] & mask;
    while (slots_[at].id != kNone) at = (at + 1) & mask;
    slots_[at] = {tag_of(hashes_[i]), ids_[i]};
  }
}

}  // namespace meshdns::answers
