#include "dnsd/answers/names.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace meshdns::answers {

const Rrset* Node::find(wire::Type type) const noexcept {
  for (const Rrset& rrset : rrsets) {
    if (rrset.type == type) return &rrset;
  }
  return nullptr;
}

const Node* Names::find_node(wire::NameBytes name) const noexcept {
  const std::uint32_t id = find(wire::hash_name(name), [&](std::uint32_t candidate) {
    return (candidate & kNodeBit) != 0 && wire::is_same(nodes_[candidate & ~kNodeBit].name, name);
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
  add({tag_of(wire::hash_name(name)), kNodeBit | static_cast<std::uint32_t>(nodes_.size() - 1)});
  return nodes_.back();
}

void Names::put_host(wire::NameBytes name, std::uint32_t host) {
  ++hosts_;
  add({tag_of(wire::hash_name(name)), host});
}

void Names::reserve(std::size_t names) {
  const std::size_t slots = std::bit_ceil(2 * names + 1);
  if (slots > slots_.size()) resize(slots);
}

void Names::add(Slot slot) {
  if (++used_ * 2 > slots_.size()) resize(std::max<std::size_t>(16, slots_.size() * 2));
  place(slot);
}

void Names::place(Slot slot) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = slot.tag & mask;
  while (slots_[at].id != kNone) at = (at + 1) & mask;
  slots_[at] = slot;
}

void Names::resize(std::size_t slots) {
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots));
  for (const Slot& slot : before) {
    if (slot.id != kNone) place(slot);
  }
}

}  // namespace meshdns::answers
