#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>
#include <type_traits>

#include "dnsd/query/answer.h"
#include "tests/support/dns/request.h"

namespace meshdns::test {

/// The bytes with which two slots are filled before a request. Bytes that differ between their answers were never
/// written for this request.
inline constexpr std::uint8_t kEmptySlot = 0x00;
inline constexpr std::uint8_t kUsedSlot = 0xA5;

/// Fills the part of the stack where the next functions have their variables.
[[gnu::noinline]] inline void fill_stack(std::uint8_t fill) {
  std::array<std::uint8_t, 16 * 1024> area;
  area.fill(fill);
  asm volatile("" : : "r"(area.data()) : "memory");  // keeps the compiler from removing the writes
}

/// Answers one packet in memory that another request has used before: the `wire::Query`, the buffer behind the packet,
/// and the stack are full of `fill`. Shows memory that is read before it is written.
struct Slot {
  explicit Slot(std::uint8_t fill_with) : fill(fill_with) {
    static_assert(std::is_trivially_copyable_v<wire::Query>);
    std::memset(static_cast<void*>(&query), fill, sizeof query);
  }

  void answer(const Bytes& packet, std::size_t capacity, const query::Context& context) {
    bytes.assign(std::max(capacity, packet.size()), fill);
    std::ranges::copy(packet, bytes.begin());
    fill_stack(fill);
    reading = wire::read_query(packet, query);
    fill_stack(fill);
    bytes.resize(query::answer_read(bytes.data(), capacity, reading, query, context));
  }

  std::uint8_t fill;
  wire::Query query;
  wire::Reading reading{};
  Bytes bytes;  // the answer
};

/// Returns whether both slots hold the same answer and the same reading of the request.
inline bool is_same(const Slot& a, const Slot& b) {
  const auto seen = [](const Slot& slot) {
    const wire::Query& q = slot.query;
    return std::tuple(slot.reading, q.opcode, q.recursion_desired, q.size, q.question_end, q.type, q.qclass,
                      q.name.hash, q.edns.present, q.edns.dnssec_ok, q.edns.version, q.edns.asks, q.edns.udp_size);
  };
  const auto options = [](const Slot& slot) {
    const wire::Edns& edns = slot.query.edns;
    return std::tuple(edns.subnet.present, edns.subnet.family, edns.subnet.source, edns.subnet.address,
                      edns.cookie.size, edns.cookie.bytes);
  };
  return a.bytes == b.bytes && seen(a) == seen(b) && options(a) == options(b) &&
         std::ranges::equal(a.query.name.view(), b.query.name.view());
}

}  // namespace meshdns::test
