// Who is answered, how much and how often.
#include <gtest/gtest.h>

#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

using wire::Option;
using wire::Type;

constexpr const char* kWeb = "web.shop.mesh.internal";
const Bytes kClientCookie = hex("0102030405060708");

PrefixList list_of(std::initializer_list<const char*> texts) {
  std::vector<Prefix> prefixes;
  for (const char* text : texts) prefixes.push_back(must(Prefix::parse(text)));
  return PrefixList(prefixes);
}

class PolicyTest : public testing::Test {
 protected:
  PolicyTest() {
    asker.policy.cookies = {{1, 2, 3}};
    asker.limiter = &limiter;
  }
  void limit(std::uint32_t burst, std::uint32_t slip = 1) {
    asker.policy.rate_limit = {.per_second = 50, .burst = burst, .slip = slip, .exempt = list_of({"127.0.0.0/8"})};
  }
  void from(const char* client) { asker.client = must(IpAddress::parse(client)); }
  EdnsRequest with_valid_cookie() {
    const auto cookie = asker.ask_edns(kWeb, Type::A, EdnsRequest{}.option(10, kClientCookie)).option(Option::Cookie);
    return EdnsRequest{}.option(10, cookie.value());
  }

  query::RateLimiter limiter{1};
  Asker asker{standard_mesh().table(), "198.51.100.1"};
};

TEST_F(PolicyTest, OthersAreRefused) {
  asker.policy.allow = list_of({"10.0.0.0/8", "fd00::/8"});
  for (const bool stream : {false, true}) {
    asker.stream = stream;
    from("198.51.100.1");
    const Reply refused = asker.ask_edns(kWeb, Type::A);
    EXPECT_EQ(refused.rcode, 5);
    EXPECT_EQ(refused.ede(), "18");
    EXPECT_FALSE(refused.aa);
    EXPECT_TRUE(refused.answer.empty() && refused.authority.empty());
    from("10.0.0.9");
    EXPECT_EQ(asker.ask(kWeb, Type::A).rcode, 0);
    from("fd12::1");
    EXPECT_EQ(asker.ask(kWeb, Type::A).rcode, 0);
  }
  EXPECT_EQ(asker.totals().denied, 2U);
}

// What CoreDNS asks to see whether we live, and what systemd-resolved asks everyone: never silence.
TEST_F(PolicyTest, ForeignNamesAreRefusedAtOnce) {
  limit(1);
  from("127.0.0.1");
  for (int i = 0; i < 300; ++i) {
    const Reply reply = asker.ask_edns(".", Type::NS);
    EXPECT_EQ(reply.rcode, 5);
    EXPECT_EQ(reply.ede(), "20");
    EXPECT_FALSE(reply.tc);
  }
}

TEST_F(PolicyTest, BeyondTheLimitAnswersAreTruncated) {
  limit(10);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(asker.ask(kWeb, Type::A).answer.size(), 2U);
  const Reply limited = asker.ask_edns(kWeb, Type::A);
  EXPECT_TRUE(limited.tc);
  EXPECT_EQ(limited.rcode, 0);
  EXPECT_TRUE(limited.answer.empty() && limited.edns);
  asker.limiter = nullptr;  // over TCP
  asker.stream = true;
  EXPECT_EQ(asker.ask(kWeb, Type::A).answer.size(), 2U);
  EXPECT_EQ(asker.totals().rate_limited, 1U);
  EXPECT_EQ(asker.totals().truncated, 1U);
}

TEST_F(PolicyTest, SlipSaysHowManyOfThemAreDropped) {
  const auto answered_of_100 = [&] {
    int answered = 0;
    for (int i = 0; i < 100; ++i) answered += asker.raw(Request{.name = kWeb}.bytes()).empty() ? 0 : 1;
    return answered;
  };
  limit(1, 2);
  asker.ask(kWeb, Type::A);
  EXPECT_EQ(answered_of_100(), 50);
  limit(1, 0);
  EXPECT_EQ(answered_of_100(), 0);
  const query::Totals totals = asker.totals();
  EXPECT_EQ(totals.dropped[static_cast<std::size_t>(query::Drop::RateLimited)], 150U);
  EXPECT_EQ(totals.received, 201U);
  EXPECT_EQ(totals.by_rcode[0], 51U);
}

TEST_F(PolicyTest, AValidCookieIsNotLimited) {
  const EdnsRequest valid = with_valid_cookie();
  limit(1);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(asker.ask_edns(kWeb, Type::A, valid).tc);
  from("198.51.100.2");
  EXPECT_FALSE(asker.ask_edns(kWeb, Type::A, valid).tc) << "the first one without";
  const Reply limited = asker.ask_edns(kWeb, Type::A, valid);
  EXPECT_TRUE(limited.tc) << "a cookie is worth nothing for another address";
  EXPECT_EQ(limited.option(Option::Cookie).value().size(), 24U) << "the client comes back with this one";
}

// docs/failures.md G7
TEST_F(PolicyTest, WithoutACookieAnswersStaySmall) {
  SmallMesh mesh;
  mesh.node("eu-1/n1");
  mesh.endpoints("eu-1/n1", "shop/api", 60);
  asker.table = mesh.table();
  const EdnsRequest valid = with_valid_cookie();
  limit(1000);
  EdnsRequest padded;
  padded.option(12, Bytes(300));
  for (const EdnsRequest& edns : {EdnsRequest{}, padded}) {
    for (const char* name : {"_all.api.shop.mesh.internal", "_http._tcp.api.shop.mesh.internal", "mesh.internal"}) {
      const Bytes request = Request{.name = name, .type = Type::ANY, .edns = edns}.bytes();
      const std::size_t size = asker.raw(request).size();
      EXPECT_LE(size, 512U) << name;
      EXPECT_LE(size, 5 * request.size()) << name;
    }
  }
  EXPECT_TRUE(asker.ask_edns("_all.api.shop.mesh.internal", Type::A).tc);
  const Reply large = asker.ask_edns("_all.api.shop.mesh.internal", Type::A, valid);
  EXPECT_EQ(large.answer.size(), 60U);
  EXPECT_LE(large.size, 1232U);
  from("127.0.0.1");
  EXPECT_EQ(asker.ask_edns("_all.api.shop.mesh.internal", Type::A).answer.size(), 60U) << "exempt";
}

// However many options a small request asks for, its answer is whole and small.
TEST_F(PolicyTest, SmallAnswersHaveRoomForTheirOptions) {
  asker.policy.nsid = std::string(query::kMostNsid, 'n');
  limit(1000);
  EdnsRequest edns;
  edns.option(3, {}).option(10, kClientCookie).option(19, {});
  const Bytes request = Request{.name = ".", .edns = edns}.bytes();
  const Reply reply = must(parse_reply(asker.raw(request)));
  EXPECT_EQ(reply.rcode, 5);
  EXPECT_EQ(reply.option(Option::Nsid).value().size(), query::kMostNsid);
  EXPECT_LE(reply.size, 5 * request.size());
  EXPECT_EQ(asker.ask_edns(kWeb, Type::A, edns).option(Option::ZoneVersion).value().size(), 6U);
}

}  // namespace
}  // namespace meshdns::test
