#include "dnsd/query/answer.h"

#include <algorithm>
#include <optional>
#include <span>

#include "dnsd/query/fast_path.h"
#include "dnsd/query/resolver.h"
#include "dnsd/query/response.h"

namespace meshdns::query {
namespace {

constexpr std::size_t kMostUntrusted = 512;    // bytes of an answer to an address that may be forged
constexpr std::size_t kMostAmplification = 5;  // and at most this many times the size of the request

/// The size of the answer that a client may get.
struct Allowance {
  std::size_t size = 0;
  bool limited = false;  // the client's prefix has used up its limit
};

/// Returns what a client may get. A source address may be forged unless a cookie proves it; until then answers stay
/// small and limited, so that nobody can flood the owner of the address with them.
Allowance allowance_of(std::optional<wire::CookieState> cookie, const wire::Query& query,
                       const Context& context) noexcept {
  const std::size_t size = context.stream ? wire::kMaxMessage : wire::udp_limit(query.edns);
  const RateLimit& limit = context.policy.rate_limit;
  if (context.limiter == nullptr || !limit.applies_to(context.client)) return {size};
  if (cookie == wire::CookieState::Valid) return {size};
  const bool limited = !context.limiter->admit(prefix_key(context.client), context.now, limit);
  if (limited) context.counters.rate_limited.add();
  return {std::min({size, kMostUntrusted, kMostAmplification * query.size}), limited};
}

/// Returns whether this limited query is answered with TC, so that a real client comes back over TCP.
bool slips(const Context& context) noexcept {
  const std::uint32_t slip = context.policy.rate_limit.slip;
  return slip != 0 && context.counters.rate_limited.value() % slip == 0;
}

std::size_t drop(Drop reason, Counters& counters) noexcept {
  counters.dropped[static_cast<std::size_t>(reason)].add();
  return 0;
}

/// Answers the EDNS options, except the client subnet and the zone's version, which the resolver adds.
/// returns: the state of the cookie; nothing = there is none, or cookies are off
std::optional<wire::CookieState> answer_options(const wire::Query& query, const Context& context,
                                                wire::OptionReplies& out) noexcept {
  const Policy& policy = context.policy;
  const std::uint8_t asks = query.edns.asks;
  if ((asks & wire::kAsksNsid) != 0 && !policy.nsid.empty()) {
    out.present |= wire::kAsksNsid;
    out.nsid = policy.nsid;
  }
  if ((asks & wire::kAsksKeepalive) != 0 && context.stream) {
    out.present |= wire::kAsksKeepalive;
    out.keepalive = context.keepalive;
  }
  if ((asks & wire::kAsksCookie) == 0 || policy.cookies.empty()) return std::nullopt;
  out.present |= wire::kAsksCookie;
  const auto state =
      wire::answer_cookie(query.edns.cookie, context.client, context.unix_seconds, policy.cookies, out.cookie);
  static_assert(static_cast<std::size_t>(wire::CookieState::Valid) + 1 == kCountedCookies);
  context.counters.by_cookie[static_cast<std::size_t>(state)].add();
  return state;
}

CountedType counted(wire::Type type) noexcept {
  switch (type) {
    case wire::Type::A: return CountedType::A;
    case wire::Type::AAAA: return CountedType::AAAA;
    case wire::Type::SRV: return CountedType::SRV;
    case wire::Type::TXT: return CountedType::TXT;
    case wire::Type::SOA: return CountedType::SOA;
    case wire::Type::NS: return CountedType::NS;
    case wire::Type::PTR: return CountedType::PTR;
    case wire::Type::ANY: return CountedType::ANY;
    case wire::Type::SVCB: return CountedType::SVCB;
    case wire::Type::HTTPS: return CountedType::HTTPS;
    default: return CountedType::Other;
  }
}

/// Returns the rcode for a packet that is no question for the table; NoError = it is one.
wire::Rcode refusal(wire::Reading reading, const wire::Query& query, std::optional<wire::CookieState> cookie,
                    const Context& context) noexcept {
  if (reading != wire::Reading::Ok) {
    if (reading != wire::Reading::NoQuestion || !cookie) return wire::Rcode::FormErr;
    return cookie == wire::CookieState::Wrong ? wire::Rcode::BadCookie : wire::Rcode::NoError;  // RFC 7873 5.4
  }
  if (query.opcode == wire::Opcode::Notify) return wire::Rcode::NotAuth;
  if (query.opcode != wire::Opcode::Query) return wire::Rcode::NotImp;
  if (query.edns.present && query.edns.version != 0) return wire::Rcode::BadVers;
  if (query.qclass != wire::Class::IN) return wire::Rcode::Refused;
  if (query.type == wire::Type::AXFR && !context.stream) return wire::Rcode::FormErr;  // RFC 5936 4.2
  const bool transfer = query.type == wire::Type::AXFR || query.type == wire::Type::IXFR;
  return transfer ? wire::Rcode::Refused : wire::Rcode::NoError;
}

void deny(Response& response, Counters& counters) noexcept {
  response.set_rcode(wire::Rcode::Refused);
  response.explain(wire::Ede::Prohibited);
  counters.denied.add();
}

}  // namespace

std::size_t answer_read(std::uint8_t* buffer, std::size_t capacity, wire::Reading reading, const wire::Query& query,
                        const Context& context) noexcept {
  if (reading == wire::Reading::Ok) {
    const std::size_t size = fast_answer(buffer, capacity, query, context);
    if (size != 0) return size;
  }
  return answer_generally(buffer, capacity, reading, query, context);
}

std::size_t answer_generally(std::uint8_t* buffer, std::size_t capacity, wire::Reading reading,
                             const wire::Query& query, const Context& context) noexcept {
  Counters& counters = context.counters;
  counters.received.add();
  if (reading == wire::Reading::TooShort || reading == wire::Reading::Response) {
    return drop(reading == wire::Reading::Response ? Drop::Response : Drop::TooShort, counters);
  }
  wire::OptionReplies options;
  std::optional<wire::CookieState> cookie;
  if (query.edns.asks != 0 && reading != wire::Reading::Malformed) cookie = answer_options(query, context, options);
  const Allowance allowance = allowance_of(cookie, query, context);
  if (allowance.limited && !slips(context)) return drop(Drop::RateLimited, counters);
  Response response(buffer, std::min(capacity, allowance.size), query, query.edns.asks != 0 ? &options : nullptr);
  if (reading == wire::Reading::Ok && query.opcode == wire::Opcode::Query) {
    counters.by_type[static_cast<std::size_t>(counted(query.type))].add();
  }
  response.set_rcode(refusal(reading, query, cookie, context));
  if (!context.policy.allows(context.client)) {
    deny(response, counters);
  } else if (allowance.limited) {
    response.truncate();
  } else if (response.rcode() == wire::Rcode::NoError && query.has_question()) {
    Resolver(response, context, context.stream || cookie == wire::CookieState::Valid).resolve();
  }
  counters.by_rcode[static_cast<std::size_t>(response.rcode())].add();
  if (response.truncated()) counters.truncated.add();
  return response.finish();
}

std::size_t answer(std::uint8_t* buffer, std::size_t request_length, std::size_t capacity,
                   const Context& context) noexcept {
  wire::Query query;
  const wire::Reading reading = wire::read_query({buffer, request_length}, query);
  return answer_read(buffer, capacity, reading, query, context);
}

}  // namespace meshdns::query
