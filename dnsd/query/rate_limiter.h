#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "common/net/ip_address.h"
#include "common/time/time.h"
#include "dnsd/query/policy.h"
#include "dnsd/wire/siphash.h"

namespace meshdns::query {

/// Returns a client's /24 or /56 as a number. Clients with equal numbers share a bucket.
std::uint64_t prefix_key(const IpAddress& client) noexcept;
/// Returns the text of a key: "198.51.100.0/24".
std::string prefix_text(std::uint64_t key);

/// The token buckets of UDP clients, one for each prefix, in a table of fixed size that all workers share. A bucket is
/// stored as the time at which it will be full again (GCRA), so that an unused bucket needs no entry. If more than
/// eight busy prefixes share a line, the least busy one is forgotten and starts again with a whole burst.
/// thread: any, without a lock; of two answers to one prefix at the same instant one may not be counted
class RateLimiter {
 public:
  /// seed: a secret random number, so that nobody can choose prefixes that share a line
  explicit RateLimiter(std::uint64_t seed);

  /// Takes a token from the bucket of a prefix.
  /// returns: false = there is none
  bool admit(std::uint64_t prefix, TimePoint now, const RateLimit& limit) noexcept;
  /// Returns the key of the prefix that was limited last; 0 = none so far.
  std::uint64_t last_limited() const noexcept { return last_limited_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kLines = 8192;  // 512 KiB
  static constexpr std::size_t kWays = 8;
  /// The upper 16 bits are from the hash of the prefix. The lower 48 are the time when it is full again, in
  /// microseconds.
  using Bucket = std::atomic<std::uint64_t>;
  /// The buckets of one cache line. A prefix's hash selects the line.
  struct alignas(64) Line {
    std::array<Bucket, kWays> buckets;
  };

  static Bucket& find(Line& line, std::uint64_t tag) noexcept;

  wire::SipKey key_;
  std::vector<Line> lines_;
  std::atomic<std::uint64_t> last_limited_{0};
};

}  // namespace meshdns::query
