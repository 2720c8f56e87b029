// Whatever arrives, the answer stays within its buffer, belongs to the request, and is a message itself.
#include <algorithm>

#include "dnsd/query/answer.h"
#include "dnsd/wire/byte_order.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/mesh/small_mesh.h"

using meshdns::IpAddress;
using meshdns::wire::Query;
using meshdns::wire::Reading;

namespace {

using Bytes = std::vector<std::uint8_t>;

std::size_t records(const Bytes& message) {
  return std::size_t{meshdns::wire::load16(message.data() + 6)} + meshdns::wire::load16(message.data() + 8) +
         meshdns::wire::load16(message.data() + 10);
}

/// Names and records to the last byte, by read_query's own rules but for what makes it a request.
void check_sections(const Bytes& answer, std::size_t at) {
  for (std::size_t i = records(answer); i > 0; --i) {
    at = meshdns::wire::skip_name(answer, at);
    MESHDNS_CHECK(at != 0 && answer.size() - at >= 10);
    const std::size_t length = meshdns::wire::load16(answer.data() + at + 8);
    MESHDNS_CHECK(length <= answer.size() - at - 10);
    at += 10 + length;
  }
  MESHDNS_CHECK(at == answer.size());
}

void check_echo(const Bytes& request, const Bytes& answer, const Query& query) {
  MESHDNS_CHECK(std::equal(answer.begin(), answer.begin() + 2, request.begin()));  // id
  MESHDNS_CHECK((answer[2] & 0x80U) != 0);
  MESHDNS_CHECK(((answer[2] ^ request[2]) & 0x79U) == 0);  // opcode, RD
  MESHDNS_CHECK((answer[3] & 0xF0U) == 0);
  MESHDNS_CHECK(meshdns::wire::load16(answer.data() + 4) == (query.has_question() ? 1 : 0));
  MESHDNS_CHECK(std::equal(request.begin() + 12, request.begin() + query.question_end, answer.begin() + 12));
}

/// With its QR bit and counts of records undone, an answer is read as the same question.
void check_readable(const Bytes& answer, const Query& asked) {
  if (!asked.has_question() || asked.opcode != meshdns::wire::Opcode::Query) return;
  Bytes request(answer.begin(), answer.begin() + asked.question_end);
  request[2] &= 0x7FU;
  std::fill(request.begin() + 6, request.begin() + 12, std::uint8_t{0});
  Query again;
  meshdns::wire::read_query(request, again);
  MESHDNS_CHECK(again.type == asked.type && again.qclass == asked.qclass);
  MESHDNS_CHECK(std::ranges::equal(again.name.view(), asked.name.view()));
}

meshdns::query::Policy policy() {
  meshdns::query::Policy out;
  out.nsid = std::string(meshdns::query::kMostNsid, 'n');
  out.cookies = {{1, 2, 3}};
  out.rate_limit.per_second = 1'000'000;  // sizes are limited, their number is not
  out.rate_limit.burst = 1'000'000;
  return out;
}

void ask(const Bytes& request, const IpAddress& client, bool stream, std::size_t capacity) {
  static const auto table = meshdns::test::standard_mesh().table();
  static meshdns::query::Counters counters;
  meshdns::query::Random random(request.size());
  Query query;
  const Reading reading = meshdns::wire::read_query(request, query);
  Bytes buffer(std::max(capacity, request.size()));  // the sanitizer sees one byte too far
  std::ranges::copy(request, buffer.begin());
  static const meshdns::query::Policy asked = policy();
  static meshdns::query::RateLimiter limiter(1);
  meshdns::query::RateLimiter* const limits = request.size() % 2 == 0 && !stream ? &limiter : nullptr;
  const meshdns::query::Context context{.table = *table,
                                        .client = client,
                                        .stream = stream,
                                        .random = random,
                                        .counters = counters,
                                        .policy = asked,
                                        .limiter = limits};
  const std::size_t size = meshdns::query::answer(buffer.data(), request.size(), capacity, context);
  MESHDNS_CHECK((size == 0) == (reading == Reading::TooShort || reading == Reading::Response));
  if (size == 0) return;
  MESHDNS_CHECK(size >= meshdns::wire::kHeaderSize && size <= capacity);
  MESHDNS_CHECK(stream || size <= (query.edns.present ? meshdns::wire::kMaxUdpAnswer : meshdns::wire::kMinUdpAnswer));
  buffer.resize(size);
  check_echo(request, buffer, query);
  check_readable(buffer, query);
  check_sections(buffer, query.question_end);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > meshdns::wire::kMaxMessage) return 0;
  const Bytes request = meshdns::fuzz::exact(data, size);
  const IpAddress inside = IpAddress::v4(0x0A000009);     // may explain
  const IpAddress forwarder = IpAddress::v4(0xC0000235);  // trusted with subnets
  for (const IpAddress& client : {inside, forwarder}) {
    if (size <= meshdns::wire::kMaxUdpAnswer) ask(request, client, false, meshdns::wire::kMaxUdpAnswer);
    ask(request, client, true, meshdns::wire::kMaxMessage);
  }
  return 0;
}
