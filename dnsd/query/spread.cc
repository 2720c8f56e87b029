#include "dnsd/query/spread.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dnsd/query/random.h"
#include "dnsd/wire/name.h"

namespace meshdns::query {
namespace {

/// Returns a hash of the first `length` bits of an address, and of their number.
std::uint64_t prefix_hash(const std::uint8_t* address, std::size_t size, std::size_t length) noexcept {
  std::array<std::uint8_t, 16> masked{};
  length = std::min(length, 8 * size);
  std::copy_n(address, (length + 7) / 8, masked.begin());
  if (length % 8 != 0) masked[length / 8] &= static_cast<std::uint8_t>(0xFF00U >> (length % 8));
  std::array<std::uint64_t, 2> words;
  std::memcpy(words.data(), masked.data(), sizeof words);
  return mixed(mixed(words[0], words[1]), 256 * size + length);
}

std::uint64_t subnet_hash(const wire::ClientSubnet& subnet, std::size_t length) noexcept {
  return prefix_hash(subnet.address.data(), subnet.family == 1 ? 4 : 16, length);
}

std::uint64_t address_hash(const IpAddress& address, std::size_t length) noexcept {
  const auto bytes = address.bytes();
  return prefix_hash(bytes.data(), bytes.size(), length);
}

std::uint64_t located_prefix(const DrawSeat& seat) noexcept {
  const bool by_subnet = seat.located.subnet_trusted && seat.subnet.source > 0;
  if (by_subnet) return subnet_hash(seat.subnet, seat.located.scope);
  return address_hash(seat.client, seat.located.length);
}

/// A time slot. Slots have the length of the TTL.
struct Slot {
  std::uint64_t number = 0;
  std::uint64_t left = 0;  // seconds until the next slot
};

/// Returns the slot of a time.
/// who: shifts the beginning of the slots, so that not all clients move at once
Slot slot_of(std::uint64_t who, std::uint32_t ttl, std::uint32_t unix_seconds) noexcept {
  const std::uint64_t length = std::max(1U, ttl);
  // without the phase, all clients of a host would change their tier in the same second
  const std::uint64_t phased = unix_seconds + who % length;
  return {phased / length, length - phased % length};
}

}  // namespace

Drawn drawn(std::uint64_t name, std::uint32_t ttl, const DrawSeat& seat) noexcept {
  const std::uint64_t who = mixed(name, located_prefix(seat));
  const Slot slot = slot_of(who, ttl, seat.unix_seconds);
  return {static_cast<std::uint32_t>(((mixed(who, slot.number) >> 32) * 100) >> 32), slot.left};
}

std::uint64_t lot_of(const answers::Host& host, const LotSeat& seat) noexcept {
  const std::uint64_t who = seat.subnet != nullptr   ? subnet_hash(*seat.subnet, seat.subnet->source)
                            : seat.client != nullptr ? address_hash(*seat.client, 128)
                                                     : 0;
  const std::uint64_t lot = mixed(wire::hash_name(host.name()), who);
  return mixed(lot, slot_of(lot, host.ttl, seat.unix_seconds).number);
}

std::size_t drawn_tier(const answers::Host& host, const answers::Set& set, const DrawSeat& seat) noexcept {
  const std::uint32_t hit = drawn(wire::hash_name(host.name()), host.ttl, seat).percent;
  const auto loads = host.loads(set);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    sum += loads[i].load;
    if (hit < sum) return i;
  }
  return 0;
}

}  // namespace meshdns::query
