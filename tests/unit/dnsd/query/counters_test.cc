// The sums that dnsd/query/counters.h documents hold after any mixture of packets.
#include <gtest/gtest.h>

#include <numeric>

#include "common/base/random_seed.h"
#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

using query::CountedSource;
using query::CountedType;
using query::Drop;
using wire::Type;

template <class Array>
std::uint64_t sum(const Array& array) {
  return std::accumulate(array.begin(), array.end(), std::uint64_t{0});
}

class CountersTest : public testing::Test {
 protected:
  void from(const char* client) { asker.client = must(IpAddress::parse(client)); }
  std::uint64_t source(CountedSource of) { return asker.totals().by_source[static_cast<std::size_t>(of)]; }
  std::uint64_t type(CountedType of) { return asker.totals().by_type[static_cast<std::size_t>(of)]; }

  Asker asker{standard_mesh().table()};
};

TEST_F(CountersTest, DropsAndRcodes) {
  asker.raw({});
  asker.raw(Bytes(11));
  asker.raw(header(1, 0x8000, 0, 0, 0, 0));
  asker.raw(header(1, 0, 0, 0, 0, 0));
  asker.ask("web.shop.mesh.internal", Type::A);
  asker.ask("nope.mesh.internal", Type::A);
  asker.ask("example.com", Type::A);
  asker.ask_edns("mesh.internal", Type::SOA, {.version = 3});
  const query::Totals totals = asker.totals();
  EXPECT_EQ(totals.received, 8U);
  EXPECT_EQ(totals.dropped[static_cast<std::size_t>(Drop::TooShort)], 2U);
  EXPECT_EQ(totals.dropped[static_cast<std::size_t>(Drop::Response)], 1U);
  for (const std::size_t rcode : {0, 1, 3, 5, 16}) EXPECT_EQ(totals.by_rcode[rcode], 1U) << rcode;
  EXPECT_EQ(totals.received, sum(totals.dropped) + sum(totals.by_rcode));
}

TEST_F(CountersTest, TypesOfReadableQueries) {
  for (const Type asked : {Type::A, Type::AAAA, Type::SRV, Type::TXT, Type::SOA, Type::NS, Type::PTR, Type::ANY,
                           Type::SVCB, Type::HTTPS, Type::MX, Type{666}}) {
    asker.ask("web.shop.mesh.internal", asked);
  }
  asker.raw(header(1, 0x2000, 1, 0, 0, 0) + question("mesh.internal", Type::SOA));         // NOTIFY
  asker.raw(header(1, 0, 1, 0, 0, 0) + question("mesh.internal", Type::SOA) + hex("00"));  // FORMERR
  for (const CountedType one :
       {CountedType::A, CountedType::AAAA, CountedType::SRV, CountedType::TXT, CountedType::SOA, CountedType::NS,
        CountedType::PTR, CountedType::ANY, CountedType::SVCB, CountedType::HTTPS}) {
    EXPECT_EQ(type(one), 1U) << static_cast<int>(one);
  }
  EXPECT_EQ(type(CountedType::Other), 2U);
}

TEST_F(CountersTest, WhatPlacedTheClient) {
  from("10.0.0.9");
  asker.ask("web.shop.mesh.internal", Type::A);
  EXPECT_EQ(source(CountedSource::Prefix), 1U);
  from("198.51.100.1");
  asker.ask("web.shop.mesh.internal", Type::A);
  EXPECT_EQ(source(CountedSource::Nowhere), 1U);
  from("192.0.2.53");
  asker.ask_edns("web.shop.mesh.internal", Type::A, EdnsRequest{}.subnet("10.2.0.0/24"));
  EXPECT_EQ(source(CountedSource::ClientSubnet), 1U);
  asker.ask("example.com", Type::A);
  asker.ask("txt.mesh.internal", Type::TXT);
  EXPECT_EQ(sum(asker.totals().by_source), 3U) << "nobody asked where these clients are";
}

TEST_F(CountersTest, WhatIsUnusual) {
  from("10.2.0.9");
  asker.ask("web.shop.mesh.internal", Type::A);
  EXPECT_EQ(asker.totals().beyond_tier_0, 0U);
  asker.ask("dead.shop.mesh.internal", Type::A);
  EXPECT_EQ(asker.totals().last_resort, 1U);
  asker.ask("_all.many.shop.mesh.internal", Type::A);
  EXPECT_EQ(asker.totals().truncated, 0U);
  SmallMesh large;
  large.node("eu-1/n1");
  large.endpoints("eu-1/n1", "shop/large", 300);
  asker.table = large.table();
  asker.ask("_all.large.shop.mesh.internal", Type::A);
  EXPECT_EQ(asker.totals().truncated, 1U);
}

/// A random packet: a valid request, whole or with some bytes replaced, cut or added.
Bytes random_packet(query::Random& random) {
  static const char* const kNames[] = {"web.shop.mesh.internal",
                                       "_http._tcp.web.shop.mesh.internal",
                                       "www.mesh.internal",
                                       "nope.mesh.internal",
                                       "example.com",
                                       "mesh.internal"};
  Request request{.name = kNames[random.below(6)], .type = static_cast<Type>(random.below(40))};
  if (random.below(2) == 0) request.edns = EdnsRequest{.version = static_cast<std::uint8_t>(random.below(8) / 7)};
  if (request.edns && random.below(2) == 0) request.edns->subnet("10.2.7.0/24");
  Bytes packet = request.bytes();
  for (std::uint32_t i = random.below(4); i > 0; --i) {
    packet[random.below(static_cast<std::uint32_t>(packet.size()))] = static_cast<std::uint8_t>(random.next());
  }
  if (random.below(8) == 0) packet.resize(random.below(static_cast<std::uint32_t>(packet.size() * 2)));
  return packet;
}

TEST_F(CountersTest, SumsHoldForAnything) {
  const std::uint64_t seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  query::Random random(seed);
  std::uint64_t answered = 0;
  std::uint64_t queries = 0;
  for (int i = 0; i < 20000; ++i) {
    from(random.below(2) == 0 ? "10.0.0.9" : "192.0.2.53");
    const Bytes packet = random_packet(random);
    const Bytes reply = asker.raw(packet);
    answered += reply.empty() ? 0 : 1;
    wire::Query query;
    const bool read = wire::read_query(packet, query) == wire::Reading::Ok;
    queries += read && query.opcode == wire::Opcode::Query ? 1 : 0;
    if (!reply.empty()) must(parse_reply(reply));
  }
  const query::Totals totals = asker.totals();
  EXPECT_EQ(totals.received, 20000U);
  EXPECT_EQ(sum(totals.by_rcode), answered);
  EXPECT_EQ(sum(totals.dropped), 20000 - answered);
  EXPECT_EQ(sum(totals.by_type), queries);
  EXPECT_GT(queries, 1000U);
}

}  // namespace
}  // namespace meshdns::test
