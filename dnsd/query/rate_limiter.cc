#include "dnsd/query/rate_limiter.h"

#include <algorithm>
#include <cstring>

#include "common/net/prefix.h"
#include "dnsd/wire/byte_order.h"

namespace meshdns::query {
namespace {

constexpr int kTimeBits = 48;
constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << kTimeBits) - 1;
constexpr std::uint64_t kIsV6 = std::uint64_t{1} << 56;
constexpr std::uint64_t kIsV4 = std::uint64_t{1} << 57;
constexpr int kTries = 4;  // attempts to change a bucket before another thread does

std::uint64_t microseconds(TimePoint time) noexcept {
  return static_cast<std::uint64_t>(time.time_since_epoch() / 1us) & kTimeMask;
}

}  // namespace

std::uint64_t prefix_key(const IpAddress& client) noexcept {
  const std::uint8_t* bytes = client.bytes().data();
  if (client.is_v4()) return kIsV4 | wire::load32(bytes) >> 8;
  return kIsV6 | (std::uint64_t{wire::load32(bytes)} << 32 | wire::load32(bytes + 4)) >> 8;
}

std::string prefix_text(std::uint64_t key) {
  const bool v4 = (key & kIsV4) != 0;
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < (v4 ? 3U : 7U); ++i)
    bytes[i] = static_cast<std::uint8_t>(key >> ((v4 ? 16 : 48) - 8 * i));
  if (v4) return Prefix::of(IpAddress::v4_bytes(std::span(bytes).first<4>()), 24).text();
  return Prefix::of(IpAddress::v6_bytes(bytes), 56).text();
}

RateLimiter::RateLimiter(std::uint64_t seed) : key_{}, lines_(kLines) { std::memcpy(key_.data(), &seed, sizeof seed); }

RateLimiter::Bucket& RateLimiter::find(Line& line, std::uint64_t tag) noexcept {
  Bucket* idlest = &line.buckets[0];
  std::uint64_t earliest = kTimeMask;
  for (Bucket& bucket : line.buckets) {
    const std::uint64_t word = bucket.load(std::memory_order_relaxed);
    if (word >> kTimeBits == tag) return bucket;
    if ((word & kTimeMask) >= earliest) continue;
    earliest = word & kTimeMask;
    idlest = &bucket;
  }
  return *idlest;
}

bool RateLimiter::admit(std::uint64_t prefix, TimePoint now, const RateLimit& limit) noexcept {
  std::array<std::uint8_t, 8> bytes;
  std::memcpy(bytes.data(), &prefix, bytes.size());
  const std::uint64_t hash = wire::siphash24(key_, bytes);
  const std::uint64_t tag = hash >> kTimeBits;
  Line& line = lines_[hash % kLines];
  const std::uint64_t at = microseconds(now);
  const std::uint64_t token = std::max<std::uint64_t>(1, 1'000'000 / limit.per_second);
  for (int i = 0; i < kTries; ++i) {
    Bucket& bucket = find(line, tag);
    std::uint64_t word = bucket.load(std::memory_order_relaxed);
    // a bucket of another prefix is the idlest of the line: it is taken over, and starts with a whole burst
    const bool ours = word >> kTimeBits == tag;
    const std::uint64_t full_at = (ours ? std::max(word & kTimeMask, at) : at) + token;
    // more than a burst would be gone: the bucket has no token left
    if (full_at - at > token * limit.burst) {
      last_limited_.store(prefix, std::memory_order_relaxed);
      return false;
    }
    if (bucket.compare_exchange_weak(word, tag << kTimeBits | full_at, std::memory_order_relaxed)) return true;
  }
  // other threads were faster each time: an answer that is not counted is better than a thread that waits
  return true;
}

}  // namespace meshdns::query
