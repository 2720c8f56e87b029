// The first line of an explanation: who is taken for the client, and where that is.
#include <gtest/gtest.h>

#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

using wire::Type;

class ExplainTest : public testing::Test {
 protected:
  ExplainTest() {
    SmallMesh mesh = standard_mesh();
    mesh.node("jp-1/n1", "fd02::/48");
    mesh.node("eu-2/n1", "192.0.2.0/24");
    mesh.settings.explain_allow = std::vector<Prefix>{must(Prefix::parse("0.0.0.0/0"))};
    asker.table = mesh.table();
  }
  /// Its text
  std::string first_line(const char* client, const EdnsRequest& edns = {}) {
    asker.client = must(IpAddress::parse(client));
    const Reply reply = asker.ask_edns("_explain.web.shop.mesh.internal", Type::TXT, edns);
    return reply.answer.empty() ? "" : std::string(split(reply.answer[0], '"').at(1));
  }

  Asker asker{nullptr};
};

constexpr const char* kForwarder = "192.0.2.53";

TEST_F(ExplainTest, WhoAsksItself) {
  EXPECT_EQ(first_line("10.2.0.9"), "01 client 10.2.0.9 -> us/zone-us-1/us-1 by node prefix 10.2.0.0/16 (n1)");
}

TEST_F(ExplainTest, WhoAsksForSomebody) {
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

}  // namespace
}  // namespace meshdns::test
