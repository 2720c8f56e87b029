// Whatever arrives, the reply stays within its bounds, belongs to the request, is a message to another reader too
// (ldns), and is the same by the short way and the long way.
#include <algorithm>
#include <string>

#include "dnsd/query/answer.h"
#include "dnsd/wire/byte_order.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/dns/reply.h"
#include "tests/support/mesh/small_mesh.h"

using meshdns::IpAddress;
using meshdns::test::Reply;
using meshdns::wire::Query;
using meshdns::wire::Rcode;
using meshdns::wire::Reading;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// The names of the unit tests, and those that the tests of the RFCs ask a real server for.
meshdns::test::SmallMesh mesh() {
  meshdns::test::SmallMesh out = meshdns::test::standard_mesh();
  for (const char* zone : {"10.in-addr.arpa", "0.0.d.f.ip6.arpa"}) out.settings.zones.push_back({zone, {}, ""});
  for (const char* address : {"10.0.0.61", "10.0.0.62", "fd00::61"}) {
    auto& endpoint = out.endpoint("eu-1/n1", "shop/api", address);
    endpoint.ports.push_back({"https", 443, "TCP", "https"});
    endpoint.ports.push_back({"alt", 9443, "TCP", "https"});
  }
  out.endpoint("us-1/n1", "shop/api", "10.2.0.61").weight = 3;
  for (const char* failed : {"shop/failed", "shop/empty"}) {
    out.endpoint("eu-1/n1", failed, "10.0.0.63").health.state = meshdns::model::HealthState::Failing;
  }
  out.endpoints("eu-1/n1", "shop/large", 300);
  for (const char* name : {"api", "web", "failed", "large", "nothing"}) out.destination(name);
  out.destination("empty").on_empty = meshdns::model::OnEmpty::NoData;
  for (const char* record :
       {"alias 60 CNAME www", "away 60 CNAME example.org.", "broken 60 CNAME nowhere", "loop-a 60 CNAME loop-b",
        "loop-b 60 CNAME loop-a", "info 30 TXT hello", "*.many 60 MX 10 two", "mail 60 MX 10 ns1", "two 60 A 10.9.9.2",
        "two 60 A 10.9.9.3", "odd 60 TYPE65400 \\# 4 0a000001"}) {
    out.fixed(record);
  }
  for (int i = 0; i < 20; ++i) out.fixed("big 60 TXT " + std::to_string(i) + std::string(200, 'x'));
  return out;
}

/// RFC 1035 4.2.1, RFC 6891 6.2.3, RFC 9715
std::size_t limit_of(const Query& query, bool stream) {
  if (stream) return 65535;
  return query.edns.present ? std::clamp<std::size_t>(query.edns.udp_size, 512, 1232) : 512;
}

void check_echo(const Bytes& request, const Bytes& answer, const Query& query) {
  MESHDNS_CHECK(std::equal(answer.begin(), answer.begin() + 2, request.begin()));  // id
  MESHDNS_CHECK(((answer[2] ^ request[2]) & 0x79U) == 0);                          // opcode, RD
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

/// The sections are as long as the header says.
void check_counts(const Bytes& answer, const Reply& reply) {
  const auto count = [&](std::size_t at) { return std::size_t{meshdns::wire::load16(answer.data() + at)}; };
  MESHDNS_CHECK(count(4) == reply.question.size());
  MESHDNS_CHECK(count(6) == reply.answer.size());
  MESHDNS_CHECK(count(8) == reply.authority.size());
  MESHDNS_CHECK(count(10) == reply.additional.size() + (reply.edns ? 1 : 0));
}

/// Only what this table has reason for: never SERVFAIL, no data beside an error, no extended code without OPT.
void check_rcode(const Reply& reply, const Query& query, Reading reading) {
  const auto rcode = static_cast<Rcode>(reply.rcode);
  const bool is_data = rcode == Rcode::NoError || rcode == Rcode::NxDomain;
  const bool is_error = rcode == Rcode::FormErr || rcode == Rcode::NotImp || rcode == Rcode::Refused ||
                        rcode == Rcode::NotAuth || rcode == Rcode::BadVers || rcode == Rcode::BadCookie;
  MESHDNS_CHECK(is_data || is_error);
  if (reading == Reading::Malformed) MESHDNS_CHECK(rcode == Rcode::FormErr);
  if (is_error) MESHDNS_CHECK(!reply.aa && reply.answer.empty() && reply.authority.empty());
  if (rcode == Rcode::NxDomain) MESHDNS_CHECK(reply.authority.size() == 1);
  // a truncated answer has the records that fit, and nothing but them
  if (reply.tc) MESHDNS_CHECK(reply.authority.empty() && reply.additional.empty());
  MESHDNS_CHECK(reply.edns == query.edns.present);
  if (reading == Reading::Ok && query.edns.present) {
    MESHDNS_CHECK(reply.edns_version == 0 && reply.udp_size == 1232 && reply.dnssec_ok == query.edns.dnssec_ok);
  }
}

void check(const Bytes& request, const Bytes& answer, const Query& query, Reading reading) {
  check_echo(request, answer, query);
  check_readable(answer, query);
  const auto reply = meshdns::test::parse_reply(answer);
  MESHDNS_CHECK(reply.has_value());
  MESHDNS_CHECK(reply->qr && !reply->ra && !reply->ad && !reply->cd && !reply->z);
  check_counts(answer, *reply);
  check_rcode(*reply, query, reading);
}

meshdns::query::Policy policy() {
  meshdns::query::Policy out;
  out.nsid = std::string(meshdns::query::kMostNsid, 'n');
  out.cookies = {{1, 2, 3}};
  out.rate_limit.per_second = 1'000'000;  // sizes are limited, their number is not
  out.rate_limit.burst = 1'000'000;
  return out;
}

struct Asking {
  const Bytes& request;
  const IpAddress& client;
  bool stream = false;
  std::size_t capacity = 0;
  meshdns::TimePoint now;
};

/// The reply by the way that servers take, or by the long one alone
Bytes reply_to(const Asking& asking, const Query& query, Reading reading, bool generally) {
  static const auto table = mesh().table();
  static const meshdns::query::Policy asked = policy();
  static meshdns::query::RateLimiter limiter(1);
  static meshdns::query::Counters counters;
  const Bytes& request = asking.request;
  Bytes buffer(std::max(asking.capacity, request.size()));  // the sanitizer sees one byte too far
  std::ranges::copy(request, buffer.begin());
  meshdns::query::Random random(request.size());
  meshdns::query::RateLimiter* const limits = request.size() % 2 == 0 && !asking.stream ? &limiter : nullptr;
  const meshdns::query::Context context{.table = *table,
                                        .client = asking.client,
                                        .stream = asking.stream,
                                        .now = asking.now,
                                        .random = random,
                                        .counters = counters,
                                        .policy = asked,
                                        .limiter = limits};
  const auto answer = generally ? meshdns::query::answer_generally : meshdns::query::answer_read;
  buffer.resize(answer(buffer.data(), asking.capacity, reading, query, context));
  return buffer;
}

void ask(const Asking& asking) {
  Query query;
  const Reading reading = meshdns::wire::read_query(asking.request, query);
  const Bytes answer = reply_to(asking, query, reading, false);
  MESHDNS_CHECK(answer == reply_to(asking, query, reading, true));
  MESHDNS_CHECK(answer.empty() == (reading == Reading::TooShort || reading == Reading::Response));
  if (answer.empty()) return;
  MESHDNS_CHECK(answer.size() >= meshdns::wire::kHeaderSize);
  MESHDNS_CHECK(answer.size() <= std::min(asking.capacity, limit_of(query, asking.stream)));
  check(asking.request, answer, query, reading);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > meshdns::wire::kMaxMessage) return 0;
  static meshdns::TimePoint now{std::chrono::hours(1)};
  now += std::chrono::milliseconds(1);  // or else a long run would reach the limit
  const Bytes request = meshdns::fuzz::exact(data, size);
  const IpAddress inside = IpAddress::v4(0x0A000009);     // may explain
  const IpAddress forwarder = IpAddress::v4(0xC0000235);  // trusted with subnets
  for (const IpAddress& client : {inside, forwarder}) {
    if (size <= meshdns::wire::kMaxUdpAnswer) ask({request, client, false, meshdns::wire::kMaxUdpAnswer, now});
    ask({request, client, true, meshdns::wire::kMaxMessage, now});
  }
  return 0;
}
