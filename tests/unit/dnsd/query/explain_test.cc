// The first line of an explanation: who is taken for the client, and where that is.
#include <gtest/gtest.h>

#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

using wire::Type;

class ExplainTest : public testing::Test {
 protected:
  ExplainTest() {
    mesh.node("jp-1/n1", "fd02::/48");
    mesh.node("eu-2/n1", "192.0.2.0/24");
    allow({"0.0.0.0/0"});
    asker.stream = true;
  }
  void allow(std::initializer_list<const char*> prefixes) {
    auto& allowed = mesh.settings.explain_allow.emplace();
    for (const char* prefix : prefixes) allowed.push_back(must(Prefix::parse(prefix)));
    asker.table = mesh.table();
  }
  /// Its text
  std::string first_line(const char* client, const EdnsRequest& edns = {}) {
    asker.client = must(IpAddress::parse(client));
    const Reply reply = asker.ask_edns("_explain.web.shop.mesh.internal", Type::TXT, edns);
    return reply.answer.empty() ? "" : std::string(split(reply.answer[0], '"').at(1));
  }

  SmallMesh mesh = standard_mesh();
  Asker asker{nullptr};
};

constexpr std::uint16_t kCookie = 10;
constexpr const char* kForwarder = "192.0.2.53";

TEST_F(ExplainTest, WhoAsksItself) {
  EXPECT_EQ(first_line("10.2.0.9"), "01 client 10.2.0.9 -> us/zone-us-1/us-1 by node prefix 10.2.0.0/16 (n1)");
}

TEST_F(ExplainTest, WhoAsksForSomebody) {
  allow({"0.0.0.0/0", "fd02::/48"});
  EXPECT_EQ(first_line(kForwarder, EdnsRequest{}.subnet("10.2.7.0/24")),
            "01 client 10.2.7.0/24 behind 192.0.2.53 -> us/zone-us-1/us-1 by node prefix 10.2.0.0/16 (n1)");
  EXPECT_EQ(first_line(kForwarder, EdnsRequest{}.subnet("fd02::/56")),
            "01 client fd02::/56 behind 192.0.2.53 -> jp/zone-jp-1/jp-1 by node prefix fd02::/48 (n1)");
}

TEST_F(ExplainTest, AForwarderThatDoesNotSayForWhom) {
  EXPECT_EQ(first_line(kForwarder), "01 asked by 192.0.2.53 (forwarder, no ECS): placed as cluster eu-2");
  EXPECT_EQ(first_line(kForwarder, EdnsRequest{}.subnet("203.0.113.0/24")),
            "01 asked by 192.0.2.53 (forwarder, unknown subnet): placed as cluster eu-2");
}

// The clients of a forwarder are in explain_allow or not, wherever the forwarder is.
TEST_F(ExplainTest, BehindAForwarderTheClientCounts) {
  const auto rcode = [&](const std::string& subnet) {
    asker.client = must(IpAddress::parse(kForwarder));
    EdnsRequest edns;
    if (!subnet.empty()) edns.subnet(subnet);
    return asker.ask_edns("_explain.web.shop.mesh.internal", Type::TXT, edns).rcode;
  };
  allow({"10.2.0.0/16", "fd02::/48"});
  for (const char* inside : {"10.2.7.0/24", "10.2.0.9/32", "10.2.0.0/16", "fd02::/56"})
    EXPECT_EQ(rcode(inside), 0) << inside;
  for (const char* outside : {"10.0.0.9/32", "10.2.0.0/15", "0.0.0.0/0", "fd02::/32", ""}) {
    EXPECT_EQ(rcode(outside), 5) << outside;
  }
  allow({"192.0.2.53/32"});
  for (const char* outside : {"10.2.7.0/24", "fd02::/56"}) EXPECT_EQ(rcode(outside), 5) << outside;
  for (const char* nobody : {"", "0.0.0.0/0"}) EXPECT_EQ(rcode(nobody), 0) << nobody;
}

// A forged address got long answers that cost much: what is asked for once costs one short, cut answer.
TEST_F(ExplainTest, OverUdpOnlyAValidCookieGetsTheLines) {
  const auto ask = [this](const EdnsRequest& edns) {
    return asker.ask_edns("_explain.web.shop.mesh.internal", Type::TXT, edns);
  };
  asker.client = must(IpAddress::parse("10.2.0.9"));
  asker.policy.cookies = {{1, 2, 3}};
  asker.stream = false;
  const Bytes client_cookie = hex("0102030405060708");
  const Reply first = ask(EdnsRequest{}.option(kCookie, client_cookie));
  EXPECT_TRUE(first.tc);
  EXPECT_TRUE(first.answer.empty());
  const Bytes cookie = first.option(wire::Option::Cookie).value();
  const Reply proven = ask(EdnsRequest{}.option(kCookie, cookie));
  EXPECT_FALSE(proven.tc);
  EXPECT_GE(proven.answer.size(), 3U);
  EXPECT_TRUE(ask({}).tc) << "without a cookie";
  EXPECT_EQ(asker.totals().truncated, 2U);
  asker.stream = true;
  EXPECT_EQ(ask({}).answer.size(), proven.answer.size());
}

TEST_F(ExplainTest, ManyLinesComeOverTcpOnly) {
  mesh = standard_mesh();
  for (int i = 0; i < 20; ++i) {
    const std::string cluster = "c" + std::to_string(i);
    mesh.node(cluster + "-1/n1");
    mesh.endpoint(cluster + "-1/n1", "shop/wide", "10.9.0." + std::to_string(i + 1));
  }
  asker.table = mesh.table();
  asker.client = must(IpAddress::parse("10.2.0.9"));
  asker.policy.cookies = {{1, 2, 3}};
  const auto ask = [this](const Bytes& cookie) {
    return asker.ask_edns("_explain.wide.shop.mesh.internal", Type::TXT, EdnsRequest{}.option(kCookie, cookie));
  };
  const Reply whole = ask(hex("0102030405060708"));
  EXPECT_GE(whole.answer.size(), 20U);
  asker.stream = false;
  const Reply cut = ask(whole.option(wire::Option::Cookie).value());
  EXPECT_TRUE(cut.tc);
  EXPECT_TRUE(cut.answer.empty()) << "at once, not as many as fit";
}

// Refused explanations had no counter: rcode REFUSED alone may as well be a question for a foreign zone.
TEST_F(ExplainTest, ClientsThatMayNotAskAreRefusedAndCounted) {
  asker.client = must(IpAddress::parse("fd02::9"));
  const auto ask = [this](const char* name, Type type) { return asker.ask_edns(name, type); };
  for (const Type type : {Type::TXT, Type::ANY, Type::A}) {
    const Reply refused = ask("_explain.web.shop.mesh.internal", type);
    EXPECT_EQ(refused.rcode, 5);
    EXPECT_EQ(refused.ede(), "18");
    EXPECT_TRUE(refused.answer.empty());
  }
  asker.stream = false;
  ask("_explain.web.shop.mesh.internal", Type::TXT);
  EXPECT_EQ(asker.totals().unexplained, 4U);
  ask("web.shop.mesh.internal", Type::TXT);
  EXPECT_EQ(ask("_explain.nope.mesh.internal", Type::TXT).rcode, 3);
  EXPECT_EQ(ask("_explain.example.com", Type::TXT).rcode, 5);
  asker.client = must(IpAddress::parse("10.2.0.9"));
  ask("_explain.web.shop.mesh.internal", Type::TXT);
  EXPECT_EQ(asker.totals().unexplained, 4U) << "neither answers nor questions for what is not here count";
}

// Names come from agents: dig shows escapes, but other resolvers print what they get.
TEST_F(ExplainTest, NamesAreClean) {
  mesh = standard_mesh();
  mesh.node("eu-1/n\x1b[2J\n", "10.7.0.0/16");
  mesh.settings.explain_allow = std::vector<Prefix>{must(Prefix::parse("0.0.0.0/0"))};
  asker.table = mesh.table();
  asker.client = must(IpAddress::parse("10.7.0.9"));
  const Bytes raw = asker.raw(Request{.name = "_explain.web.shop.mesh.internal", .type = Type::TXT}.bytes());
  EXPECT_EQ(std::ranges::count(raw.begin() + wire::kHeaderSize + 40, raw.end(), std::uint8_t{0x1b}), 0);
  const std::string text(raw.begin(), raw.end());
  EXPECT_NE(text.find("n\\u001b[2J\\n"), std::string::npos);
}

}  // namespace
}  // namespace meshdns::test
