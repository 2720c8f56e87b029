#pragma once

#include <cstddef>
#include <cstdint>

#include "dnsd/query/answer.h"

namespace meshdns::query {

/// Answers the most frequent queries in the fewest steps: A and AAAA of a host over UDP where the endpoints of the tier
/// in use have equal weights, and nothing abnormal has to be said. The answer is byte for byte, and counter for
/// counter, that of Resolver; whoever reads the general way need not know this one.
/// query:    result of wire::read_query (Reading::Ok) for the bytes in `buffer`
/// returns:  bytes of the answer; 0 = not such a query: nothing was written or counted
/// thread:   any worker; no lock, no allocation
std::size_t fast_answer(std::uint8_t* buffer, std::size_t capacity, const wire::Query& query,
                        const Context& context) noexcept;

}  // namespace meshdns::query
