#include "dnsd/query/answer.h"

#include <algorithm>
#include <span>

#include "dnsd/query/resolver.h"
#include "dnsd/query/response.h"

namespace meshdns::query {
namespace {

std::size_t size_limit(std::size_t capacity, const wire::Query& query, const Context& context) noexcept {
  if (context.stream) return std::min(capacity, wire::kMaxMessage);
  std::size_t limit = wire::kMinUdpAnswer;
  // RFC 6891 6.2.3: a client that states less than 512 takes 512
  if (query.edns.present) limit = std::clamp<std::size_t>(query.edns.udp_size, limit, wire::kMaxUdpAnswer);
  return std::min(capacity, limit);
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
    default: return CountedType::Other;
  }
}

/// The rcode for what is no question for the table; NoError = it is one.
wire::Rcode refusal(wire::Reading reading, const wire::Query& query, const Context& context) noexcept {
  if (reading != wire::Reading::Ok) return wire::Rcode::FormErr;
  if (query.opcode == wire::Opcode::Notify) return wire::Rcode::NotAuth;
  if (query.opcode != wire::Opcode::Query) return wire::Rcode::NotImp;
  if (query.edns.present && query.edns.version != 0) return wire::Rcode::BadVers;
  if (query.qclass != wire::Class::IN) return wire::Rcode::Refused;
  if (query.type == wire::Type::AXFR && !context.stream) return wire::Rcode::FormErr;  // RFC 5936 4.2
  const bool transfer = query.type == wire::Type::AXFR || query.type == wire::Type::IXFR;
  return transfer ? wire::Rcode::Refused : wire::Rcode::NoError;
}

}  // namespace

std::size_t answer_read(std::uint8_t* buffer, std::size_t capacity, wire::Reading reading, const wire::Query& query,
                        const Context& context) noexcept {
  Counters& counters = context.counters;
  counters.received.add();
  if (reading == wire::Reading::TooShort || reading == wire::Reading::Response) {
    const Drop reason = reading == wire::Reading::Response ? Drop::Response : Drop::TooShort;
    counters.dropped[static_cast<std::size_t>(reason)].add();
    return 0;
  }
  Response response(buffer, size_limit(capacity, query, context), query);
  if (reading == wire::Reading::Ok && query.opcode == wire::Opcode::Query) {
    counters.by_type[static_cast<std::size_t>(counted(query.type))].add();
  }
  response.set_rcode(refusal(reading, query, context));
  if (response.rcode() == wire::Rcode::NoError) Resolver(response, context).resolve();
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
