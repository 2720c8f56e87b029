#include "dnsd/server/tap.h"

#include <cstring>
#include <type_traits>

#include "common/base/check.h"

namespace meshdns::server {

/// The head before the bytes of an exchange, at a multiple of 8.
struct Tap::Lane::Head {
  std::uint32_t size = 0;  // with this head, rounded up to a multiple of 8; 0 = go on at the start of the ring
  std::uint32_t query = 0;
  std::uint32_t answer = 0;
  std::uint16_t client_port = 0;
  std::uint16_t listener = 0;
  TimePoint at{};
  IpAddress client;
  bool stream = false;
};

Tap::Lane::Lane(std::size_t capacity)
    : capacity_(capacity),
      words_(std::make_unique<std::uint64_t[]>(capacity / sizeof(std::uint64_t))),
      bytes_(reinterpret_cast<std::uint8_t*>(words_.get())) {
  MESHDNS_CHECK(capacity >= 1024 && (capacity & (capacity - 1)) == 0);
}

void Tap::Lane::note(const Exchange& exchange) noexcept {
  static_assert(std::is_trivially_copyable_v<Head>);
  const std::size_t size = (sizeof(Head) + exchange.query.size() + exchange.answer.size() + 7) & ~std::size_t{7};
  std::uint64_t position = written_.load(std::memory_order_relaxed);
  const std::size_t to_end = capacity_ - place(position);
  const std::size_t skipped = to_end < size ? to_end : 0;  // the bytes of one exchange are in one piece
  if (position + skipped + size - taken_.load(std::memory_order_acquire) > capacity_) {
    missed_.store(missed() + exchange.messages(), std::memory_order_relaxed);
    return;
  }
  if (skipped > 0) std::memset(bytes_ + place(position), 0, sizeof Head::size);
  position += skipped;
  const Head head{.size = static_cast<std::uint32_t>(size),
                  .query = static_cast<std::uint32_t>(exchange.query.size()),
                  .answer = static_cast<std::uint32_t>(exchange.answer.size()),
                  .client_port = exchange.client_port,
                  .listener = exchange.listener,
                  .at = exchange.at,
                  .client = exchange.client,
                  .stream = exchange.stream};
  std::uint8_t* out = bytes_ + place(position);
  std::memcpy(out, &head, sizeof head);
  out += sizeof head;
  if (head.query > 0) std::memcpy(out, exchange.query.data(), head.query);
  if (head.answer > 0) std::memcpy(out + head.query, exchange.answer.data(), head.answer);
  written_.store(position + size, std::memory_order_release);
}

std::size_t Tap::Lane::drain(std::size_t most, const Take& take) {
  const std::uint64_t end = written_.load(std::memory_order_acquire);
  std::uint64_t position = taken_.load(std::memory_order_relaxed);
  std::size_t count = 0;
  while (count < most && position != end) {
    const std::uint8_t* in = bytes_ + place(position);
    Head head;
    std::memcpy(&head.size, in, sizeof head.size);
    if (head.size == 0) {
      position += capacity_ - place(position);
      continue;
    }
    std::memcpy(&head, in, sizeof head);
    in += sizeof head;
    take({.at = head.at,
          .client = head.client,
          .client_port = head.client_port,
          .listener = head.listener,
          .stream = head.stream,
          .query = std::span(in, head.query),
          .answer = std::span(in + head.query, head.answer)});
    position += head.size;
    taken_.store(position, std::memory_order_release);
    ++count;
  }
  return count;
}

std::size_t Tap::drain(std::size_t most, const Take& take) {
  std::size_t count = 0;
  for (Lane& lane : lanes_) count += lane.drain(most, take);
  return count;
}

std::uint64_t Tap::missed() const {
  std::uint64_t sum = 0;
  for (const Lane& lane : lanes_) sum += lane.missed();
  return sum;
}

}  // namespace meshdns::server
