#pragma once

#include <cstddef>
#include <cstdint>

#include "common/net/ip_address.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/query/counters.h"
#include "dnsd/query/policy.h"
#include "dnsd/query/random.h"
#include "dnsd/query/rate_limiter.h"
#include "dnsd/wire/message.h"

namespace meshdns::query {

/// What an answer depends on besides the packet.
struct Context {
  const answers::AnswerTable& table;
  IpAddress client;            // who asks, as the socket says
  std::uint16_t listener = 0;  // index of the listen address: listeners have localities
  bool stream = false;         // TCP: no size limit but the buffer's
  TimePoint now{};             // read once a batch
  Random& random;
  Counters& counters;
  const Policy& policy = kOpenPolicy;
  RateLimiter* limiter = nullptr;  // of UDP answers; null = none is limited
  std::uint32_t unix_seconds = 0;  // for cookies and slots; read once a batch where they are needed
  bool stale = false;              // besides table.stale: whoever publishes tables stands still
  std::uint16_t keepalive = 0;     // TCP: how long the connection may idle, in 100 ms (RFC 7828)
};

/// Answers the request in `buffer` in place.
/// buffer:   request_length bytes of request; `capacity` bytes may be written: at least wire::kMaxUdpAnswer
/// returns:  bytes of the answer; 0 = drop silently
/// thread:   any worker; no lock, no allocation
/// source:   RFC 1034 4.3.2, RFC 2308, RFC 6891, RFC 7828, RFC 7871, RFC 7873, RFC 8482, RFC 8906, RFC 8914
std::size_t answer(std::uint8_t* buffer, std::size_t request_length, std::size_t capacity,
                   const Context& context) noexcept;

/// The second half of answer(), for callers that read a whole batch of requests first, so that the table's memory is
/// on its way: `reading` and `query` are what wire::read_query said of the bytes that still stand in `buffer`.
std::size_t answer_read(std::uint8_t* buffer, std::size_t capacity, wire::Reading reading, const wire::Query& query,
                        const Context& context) noexcept;

/// The same without the short cut for the commonest question (fast_path.h), for tests that compare the two.
std::size_t answer_generally(std::uint8_t* buffer, std::size_t capacity, wire::Reading reading,
                             const wire::Query& query, const Context& context) noexcept;

}  // namespace meshdns::query
