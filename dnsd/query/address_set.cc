#include "dnsd/query/address_set.h"

#include <algorithm>
#include <bit>

#include "dnsd/query/choice.h"
#include "dnsd/query/random.h"
#include "dnsd/wire/byte_order.h"

namespace meshdns::query {
namespace {

std::uint64_t hash_of(const answers::Host& host, std::uint16_t row, bool v4) noexcept {
  if (v4) return mixed(0, wire::load32(host.rows()[row].v4.data()));
  const auto& v6 = host.v6(row);
  return mixed(wire::load64(v6.data()), wire::load64(v6.data() + 8));
}

}  // namespace

AddressSet::AddressSet(const answers::Host& host, std::size_t rows) noexcept
    : host_(host), most_(std::clamp<std::size_t>(rows, 1, kMost)), mask_(std::bit_ceil(2 * most_) - 1) {
  for (Family& family : families_) std::fill_n(family.slots.begin(), mask_ + 1, kEmpty);
}

bool AddressSet::add(std::uint16_t row, bool v4) noexcept {
  Family& family = families_[v4 ? 0 : 1];
  std::size_t at = hash_of(host_, row, v4) & mask_;
  for (; family.slots[at] != kEmpty; at = (at + 1) & mask_) {
    if (share_address(host_, family.slots[at], row, v4)) return false;
  }
  if (family.count == most_) return false;
  ++family.count;
  family.slots[at] = row;
  return true;
}

}  // namespace meshdns::query
