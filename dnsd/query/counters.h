#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace meshdns::query {

/// A counter that one thread adds to and any thread reads. It costs no more than a plain number: with one writer,
/// reading and storing need not be one atomic step.
class Count {
 public:
  void add(std::uint64_t by = 1) noexcept { value_.store(value() + by, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Why a packet is dropped.
enum class Drop : std::uint8_t { TooShort, Response, RateLimited };
inline constexpr std::size_t kDrops = 3;

/// The query types that are counted separately; Other stands for the rest.
enum class CountedType : std::uint8_t { A, AAAA, SRV, TXT, SOA, NS, PTR, ANY, SVCB, HTTPS, Other };
inline constexpr std::size_t kCountedTypes = 11;

/// The source that placed a client; answers::PlaceSource has the same order.
enum class CountedSource : std::uint8_t { Listener, ClientSubnet, Forwarder, Prefix, Server, Nowhere };
inline constexpr std::size_t kCountedSources = 6;

/// The number of states of a request's cookie; wire::CookieState has their order.
inline constexpr std::size_t kCountedCookies = 3;

inline constexpr std::size_t kCountedRcodes = 24;  // 0 to 23 (BADCOOKIE)

/// The figures of one worker, or the sums of several after merge(). T is Count in a worker, std::uint64_t in a sum.
/// At rest these hold: received = sum(dropped) + sum(by_rcode); sum(by_type) = packets with opcode QUERY whose question
/// was read; sum(by_source) = answers that asked for the client's place.
template <class T>
struct BasicCounters {
  T received{};
  std::array<T, kDrops> dropped{};
  std::array<T, kCountedRcodes> by_rcode{};
  std::array<T, kCountedTypes> by_type{};
  std::array<T, kCountedSources> by_source{};
  std::array<T, kCountedCookies> by_cookie{};
  T truncated{};      // TC=1
  T last_resort{};    // answers with endpoints that do not serve
  T beyond_tier_0{};  // answers with a tier other than 0
  T rate_limited{};   // truncated or dropped, because the client's prefix has used up its limit
  T denied{};         // refused, because the client is not allowed
  T unexplained{};    // _explain refused, because answers are not explained to the client

  /// Calls f for each pair of the same figure of `a` and `b`.
  template <class F>
  static void pairwise(auto& a, auto& b, F f) {
    f(a.received, b.received);
    for (std::size_t i = 0; i < kDrops; ++i) f(a.dropped[i], b.dropped[i]);
    for (std::size_t i = 0; i < kCountedRcodes; ++i) f(a.by_rcode[i], b.by_rcode[i]);
    for (std::size_t i = 0; i < kCountedTypes; ++i) f(a.by_type[i], b.by_type[i]);
    for (std::size_t i = 0; i < kCountedSources; ++i) f(a.by_source[i], b.by_source[i]);
    for (std::size_t i = 0; i < kCountedCookies; ++i) f(a.by_cookie[i], b.by_cookie[i]);
    f(a.truncated, b.truncated);
    f(a.last_resort, b.last_resort);
    f(a.beyond_tier_0, b.beyond_tier_0);
    f(a.rate_limited, b.rate_limited);
    f(a.denied, b.denied);
    f(a.unexplained, b.unexplained);
  }
};

using Counters = BasicCounters<Count>;
using Totals = BasicCounters<std::uint64_t>;

/// Adds the figures of one worker to a sum.
/// thread: any
inline void merge(Totals& sum, const Counters& worker) {
  Totals::pairwise(sum, worker, [](std::uint64_t& to, const Count& from) { to += from.value(); });
}

}  // namespace meshdns::query
