#pragma once

#include <cstddef>
#include <cstdint>

#include "dnsd/query/answer.h"

namespace meshdns::query {

/// Answers the commonest question in the fewest steps: A of a host, over UDP, of which every endpoint in the tier in
/// use has an IPv4 address and the same weight, with nothing unusual to tell. The answer is, byte for byte and counter
/// for counter, the one that Resolver gives; whoever may not look at the general way need not know this one.
/// query:    what wire::read_query said (Reading::Ok) of the bytes that stand in `buffer`
/// returns:  bytes of the answer; 0 = it is not such a question, and nothing was touched or counted
/// thread:   any worker; no lock, no allocation
std::size_t fast_answer(std::uint8_t* buffer, std::size_t capacity, const wire::Query& query,
                        const Context& context) noexcept;

}  // namespace meshdns::query
