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

/// Everything besides the packet that an answer depends on. The references must outlive the answer.
struct Context {
  const answers::AnswerTable& table;
  IpAddress client;            // source address of the packet
  std::uint16_t listener = 0;  // index of the listen address: listeners may have a locality
  bool stream = false;         // TCP: only the buffer limits the answer's size
  TimePoint now{};             // read once a batch
  Random& random;              // read once per batch
  Counters& counters;
  const Policy& policy = kOpenPolicy;
  RateLimiter* limiter = nullptr;  // limits UDP answers; null = no answer is limited
  std::uint32_t unix_seconds = 0;  // for cookies and time slots; read once per batch, if they are needed
  bool stale = false;              // the publisher of tables stands still; the table itself may be stale, too
  std::uint16_t keepalive = 0;     // TCP: how long the connection may be idle, in 100 ms (RFC 7828)
};

// How it works. One packet goes through these steps; each writes into the buffer of the request:
//
//   wire::read_query   bytes -> Query (question and EDNS)
//   fast_answer        A or AAAA of a plain host: answered at once, or left to the general way untouched
//   answer_generally   cookie, rate limit, ACL; refuses what is not a question for the table
//   Resolver           name -> node, host, or a name below a host -> records; follows CNAMEs
//   HostAnswer, ServiceAnswer, Pinned   choose endpoints and write their records
//   Response::finish   header and OPT record

/// Answers the request in `buffer` in place.
/// buffer:   holds request_length bytes of request; has room for `capacity` bytes, at least wire::kMaxUdpAnswer
/// returns:  bytes of the answer; 0 = drop silently
/// thread:   any worker; takes no lock, allocates for `_explain` only
/// source:   RFC 1034 4.3.2, RFC 2308, RFC 6891, RFC 7828, RFC 7871, RFC 7873, RFC 8482, RFC 8906, RFC 8914
std::size_t answer(std::uint8_t* buffer, std::size_t request_length, std::size_t capacity,
                   const Context& context) noexcept;

/// Does the second half of answer(), for callers that read a whole batch of requests first and so load the table's
/// memory into the cache ahead.
/// reading and query: results of wire::read_query for the bytes in `buffer`, which must be unchanged
std::size_t answer_read(std::uint8_t* buffer, std::size_t capacity, wire::Reading reading, const wire::Query& query,
                        const Context& context) noexcept;

/// Does the same without the short cut for the most frequent queries (fast_path.h). Tests compare the two.
std::size_t answer_generally(std::uint8_t* buffer, std::size_t capacity, wire::Reading reading,
                             const wire::Query& query, const Context& context) noexcept;

}  // namespace meshdns::query
