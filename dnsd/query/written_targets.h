#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "dnsd/query/choice.h"
#include "dnsd/query/random.h"
#include "dnsd/wire/byte_order.h"

namespace meshdns::query {

/// The targets of the service records that an answer contains: priority, address and number of each. Endpoints that
/// share an address and a number have one record. A hash table, so that a look-up costs the same however many there
/// are.
template <std::size_t kMost>
class WrittenTargets {
 public:
  struct ServiceTarget {
    std::uint16_t row;
    std::uint16_t number;  // 0 = this slot is free
    std::uint16_t priority;
    bool v4;  // of the row's addresses this one counts; the row has it
  };

  /// Forgets all targets.
  /// most: how many will be added, at most kMost
  void begin(std::size_t most) noexcept {
    mask_ = std::bit_ceil(2 * std::clamp<std::size_t>(most, 1, kMost)) - 1;
    most_ = (mask_ + 1) / 2;
    count_ = 0;
    std::fill_n(slots_.begin(), mask_ + 1, ServiceTarget{});
  }

  /// Adds a target.
  /// requires: its number is not 0
  /// returns: false = the target is there already
  bool add(const answers::Host& host, const ServiceTarget& target) noexcept {
    std::size_t at = hash_of(host, target) & mask_;
    for (; slots_[at].number != 0; at = (at + 1) & mask_) {
      const ServiceTarget& known = slots_[at];
      if (known.number == target.number && known.priority == target.priority && known.v4 == target.v4 &&
          share_address(host, known.row, target.row, target.v4)) {
        return false;
      }
    }
    if (count_ < most_) {  // otherwise the message is full before the table is
      slots_[at] = target;
      ++count_;
    }
    return true;
  }

 private:
  static std::uint64_t hash_of(const answers::Host& host, const ServiceTarget& target) noexcept {
    const std::uint64_t rest = std::uint64_t{target.number} << 16 | target.priority;
    if (target.v4) return mixed(rest, wire::load32(host.rows()[target.row].v4.data()));
    const auto& v6 = host.v6(target.row);
    return mixed(mixed(rest, wire::load64(v6.data())), wire::load64(v6.data() + 8));
  }

  std::array<ServiceTarget, std::bit_ceil(2 * kMost)> slots_;
  std::size_t mask_ = 0;
  std::size_t most_ = 0;
  std::size_t count_ = 0;
};

}  // namespace meshdns::query
