// SRV, SVCB and HTTPS list a service: who reads the list instead of drawing from it must be able to rely on it.
#include "dnsd/query/service_answer.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>

#include "tests/support/cost.h"
#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

using wire::Type;

constexpr const char* kService = "_http._tcp.api.mesh.internal";
constexpr const char* kBinding = "_8080._http.api.mesh.internal";

using Records = std::set<std::string>;

Records records(const Reply& reply) { return {reply.answer.begin(), reply.answer.end()}; }

/// "... SRV <priority> <weight> <port> <target>"
struct Srv {
  explicit Srv(const std::string& record) {
    const auto at = record.find(" SRV ") + 5;
    const auto words = split(std::string_view(record).substr(at), ' ');
    priority = std::stoi(std::string(words[0]));
    weight = std::stoi(std::string(words[1]));
    port = std::stoi(std::string(words[2]));
    target = words[3];
  }
  int priority = 0;
  int weight = 0;
  int port = 0;
  std::string target;
};

/// One that asks over UDP or TCP.
struct TransportAsker : Asker {
  TransportAsker(std::shared_ptr<const answers::AnswerTable> of, bool by_tcp) : Asker(std::move(of), "10.0.0.9") {
    stream = by_tcp;
  }
};

class ServiceAnswerTest : public testing::Test {
 protected:
  ServiceAnswerTest() {
    mesh.node("eu-1/n1", "10.0.0.0/16");
    mesh.node("us-1/n1", "10.2.0.0/16");
    mesh.destination("api");
  }
  model::Policy& policy() { return mesh.records.destinations["shop/api"].policy; }
  void add(const std::string& node, unsigned first, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      mesh.endpoint(node, "shop/api", IpAddress::v4(0x0A010000 + first + i).text());
    }
  }
  TransportAsker asker(bool stream = false) { return {mesh.table(), stream}; }
  /// The sum of the weights of each priority
  static std::map<int, int> weights(const Reply& reply) {
    std::map<int, int> out;
    for (const std::string& record : reply.answer) out[Srv(record).priority] += Srv(record).weight;
    return out;
  }

  SmallMesh mesh;
};

TEST_F(ServiceAnswerTest, AllOfEveryTierWithoutTc) {
  add("eu-1/n1", 1, 12);
  add("us-1/n1", 100, 9);
  for (const bool stream : {false, true}) {
    auto asking = asker(stream);
    const Reply reply = asking.ask_edns(kService, Type::SRV);
    EXPECT_FALSE(reply.tc);
    EXPECT_EQ(records(reply).size(), 21U);
    EXPECT_EQ(weights(reply), (std::map<int, int>{{0, 1200}, {1, 900}}));
    EXPECT_EQ(reply.ede(), "") << "nothing is left out, whatever A does";
  }
}

TEST_F(ServiceAnswerTest, OverTcpAsMuchAsAMessageHolds) {
  add("eu-1/n1", 1, 1000);
  const Reply srv = asker(true).ask_edns(kService, Type::SRV);
  EXPECT_FALSE(srv.tc);
  EXPECT_EQ(records(srv).size(), 1000U);
  const Reply svcb = asker(true).ask_edns(kBinding, Type::SVCB);
  EXPECT_FALSE(svcb.tc);
  EXPECT_EQ(records(svcb).size(), 1000U);
  add("eu-1/n1", 2000, 800);
  auto asking = asker(true);
  const Reply cut = asking.ask_edns(kService, Type::SRV);
  EXPECT_TRUE(cut.tc);
  EXPECT_GT(records(cut).size(), 1200U);
  EXPECT_EQ(records(asking.ask_edns(kService, Type::SRV)), records(cut));
}

// A UDP answer that is cut says so and gives what fits, the nearest first, the same again until the TTL ends.
TEST_F(ServiceAnswerTest, OverUdpWhatFitsWithTc) {
  add("eu-1/n1", 1, 10);
  add("us-1/n1", 100, 60);
  auto asking = asker();
  for (const auto& [name, type] : {std::pair(kService, Type::SRV), std::pair(kBinding, Type::SVCB)}) {
    const Reply first = asking.ask_edns(name, type);
    EXPECT_TRUE(first.tc);
    EXPECT_LE(first.size, 1232U);
    EXPECT_GT(first.answer.size(), 12U);
    EXPECT_TRUE(first.additional.empty());
    for (const std::string& record : {first.answer.front(), first.answer[9]}) {
      EXPECT_NE(record.find(type == Type::SRV ? " SRV 0 " : " SVCB 1 "), std::string::npos) << record;
    }
    for (int i = 0; i < 20; ++i) EXPECT_EQ(records(asking.ask_edns(name, type)), records(first));
  }
}

TEST_F(ServiceAnswerTest, MaxAnswersCapsEachTierAndKeepsTheSame) {
  add("eu-1/n1", 1, 12);
  add("us-1/n1", 100, 9);
  policy().max_answers = 3;
  auto asking = asker();
  const Reply first = asking.ask_edns(kService, Type::SRV);
  EXPECT_FALSE(first.tc) << "our own cap";
  EXPECT_EQ(weights(first), (std::map<int, int>{{0, 300}, {1, 300}}));
  std::set<Records> seen;
  for (asking.unix_seconds = 0; asking.unix_seconds < 100; ++asking.unix_seconds) {
    const auto now = records(asking.ask_edns(kService, Type::SRV));
    EXPECT_EQ(records(asking.ask_edns(kService, Type::SRV)), now);
    seen.insert(now);
  }
  EXPECT_GT(seen.size(), 15U) << "another subset in each slot of 5 s";
  EXPECT_LE(seen.size(), 21U);
  EXPECT_EQ(asking.ask_edns(kBinding, Type::SVCB).answer.size(), 6U);
}

// A, AAAA and SRV of one client are of the same instances.
TEST_F(ServiceAnswerTest, AllTypesAreCutAlike) {
  for (unsigned i = 1; i <= 30; ++i) {
    mesh.endpoint("eu-1/n1", "shop/api", "10.1.0." + std::to_string(i) + ",fd00::" + std::to_string(i));
  }
  policy().max_answers = 5;
  auto asking = asker();
  for (asking.unix_seconds = 0; asking.unix_seconds < 50; ++asking.unix_seconds) {
    Records v4, v6, targets;
    for (const auto& record : asking.ask("api.mesh.internal", Type::A).answer) {
      v4.insert(record.substr(record.rfind('.') + 1));
    }
    for (const auto& record : asking.ask("api.mesh.internal", Type::AAAA).answer) {
      v6.insert(record.substr(record.rfind(':') + 1));
    }
    for (const auto& record : asking.ask_edns(kService, Type::SRV).answer) {
      const std::string label = Srv(record).target.substr(0, Srv(record).target.find('.'));
      targets.insert(label.substr(label.rfind('-') + 1));
    }
    ASSERT_EQ(v4.size(), 5U);
    ASSERT_EQ(v6, v4);
    ASSERT_EQ(targets, v4);
  }
}

TEST_F(ServiceAnswerTest, TheHostItselfHasAllNamedPorts) {
  add("eu-1/n1", 1, 2);
  for (auto& [key, endpoint] : mesh.records.endpoints) {
    endpoint.ports = {{"http", 8080, "TCP", "http"}, {"grpc", 9000, "TCP", ""}, {"dns", 9000, "UDP", ""}};
  }
  const Reply reply = asker().ask_edns("api.mesh.internal", Type::SRV);
  std::multiset<std::string> found;
  for (const std::string& record : reply.answer) {
    EXPECT_TRUE(record.starts_with("api.mesh.internal. 5 IN SRV 0 100 ")) << record;
    found.insert(std::to_string(Srv(record).port) + " " + Srv(record).target);
  }
  EXPECT_EQ(found, (std::multiset<std::string>{"8080 10-1-0-1.api.mesh.internal.", "8080 10-1-0-2.api.mesh.internal.",
                                               "9000 10-1-0-1.api.mesh.internal.", "9000 10-1-0-2.api.mesh.internal."}))
      << "one record where two names have one number";
  EXPECT_EQ(reply.additional.size(), 2U);
}

TEST_F(ServiceAnswerTest, ARecordStandsThereOnceWhereEndpointsShareAddressAndTarget) {
  add("eu-1/n1", 1, 1);
  auto& other = mesh.endpoint("eu-1/n1", "shop/api", "10.1.0.1,fd00::1");
  other.ports.edit()[0].number = 9000;
  auto& ports = mesh.records.destinations["shop/api"].ports;
  ports.push_back({"http", 80, "TCP", "7000", "http"});
  EXPECT_EQ(asker().ask_edns(kService, Type::SRV).answer.size(), 1U);
  EXPECT_EQ(asker().ask_edns("_80._http.api.mesh.internal", Type::SVCB).answer.size(), 1U);
}

/// 80 % to eu-1, 20 % to us-1, and ap-1 in no share.
class SpreadServicesTest : public ServiceAnswerTest {
 protected:
  SpreadServicesTest() {
    mesh.node("ap-1/n1");
    add("ap-1/n1", 5000, 1);
    policy().distribute = {{{}, {{{.region = "eu"}, 80}, {{.region = "us"}, 20}}}};
  }
};

TEST_F(SpreadServicesTest, TiersWithALoadShareTheFirstPriorityByTheirLoads) {
  add("eu-1/n1", 1, 2);
  add("us-1/n1", 100, 1);
  const Reply reply = asker().ask_edns(kService, Type::SRV);
  std::multiset<std::string> found;
  for (const std::string& record : reply.answer) {
    found.insert(std::to_string(Srv(record).priority) + " " + std::to_string(Srv(record).weight));
  }
  EXPECT_EQ(found, (std::multiset<std::string>{"0 2000", "0 4000", "0 4000", "2 100"}));
}

TEST_F(SpreadServicesTest, WeightsInsideATierAndManyInstancesKeepTheProportion) {
  add("eu-1/n1", 1, 300);
  add("us-1/n1", 1000, 40);
  std::size_t heavy = 0;
  for (auto& [key, endpoint] : mesh.records.endpoints) {
    if (endpoint.node == "eu-1/n1" && heavy++ < 10) endpoint.weight = 7;
  }
  const Reply reply = asker(true).ask_edns(kService, Type::SRV);
  std::map<std::string, double> sums;
  for (const std::string& record : reply.answer) {
    const Srv srv(record);
    if (srv.priority != 0) continue;
    const bool far = std::stoi(srv.target.substr(5)) == 3 || std::stoi(srv.target.substr(5)) == 4;
    sums[far ? "us" : "eu"] += srv.weight;
  }
  ASSERT_EQ(sums.size(), 2U);
  EXPECT_NEAR(sums["eu"] / sums["us"], 4.0, 0.05);
}

// SVCB has no weights: the tier that the client has drawn is the first, as in A.
TEST_F(SpreadServicesTest, ServiceBindingsBeginWithTheDrawnTier) {
  add("eu-1/n1", 1, 1);
  add("us-1/n1", 60, 1);
  auto asking = asker();
  std::set<std::string> firsts;
  for (asking.unix_seconds = 0; asking.unix_seconds < 300; asking.unix_seconds += 5) {
    const Reply addresses = asking.ask("api.mesh.internal", Type::A);
    const Reply bindings = asking.ask_edns(kBinding, Type::SVCB);
    ASSERT_EQ(bindings.answer.size(), 3U);
    const std::string address = addresses.answer.front().substr(addresses.answer.front().rfind(' ') + 1);
    std::set<int> priorities;
    for (const std::string& record : bindings.answer) {
      const int priority = std::stoi(record.substr(record.find(" SVCB ") + 6));
      priorities.insert(priority);
      EXPECT_EQ(priority == 1, record.find("ipv4hint=" + address) != std::string::npos) << record;
    }
    EXPECT_EQ(priorities.size(), 3U);
    firsts.insert(address);
  }
  EXPECT_EQ(firsts.size(), 2U);
}

TEST_F(ServiceAnswerTest, SpillSharesThePriorityToo) {
  add("eu-1/n1", 1, 2);
  add("us-1/n1", 100, 1);
  mesh.endpoint("eu-1/n1", "shop/api", "10.1.0.9").health.state = model::HealthState::Failing;
  mesh.endpoint("eu-1/n1", "shop/api", "10.1.0.10").health.state = model::HealthState::Failing;
  policy().spill = model::Spill{100, 0};
  const Reply reply = asker().ask_edns(kService, Type::SRV);
  EXPECT_EQ(weights(reply), (std::map<int, int>{{0, 10000}}));
  for (const std::string& record : reply.answer) {
    const Srv srv(record);
    EXPECT_EQ(srv.weight, srv.target.starts_with("10-1-0-100.") ? 5000 : 2500) << record;
  }
}

// Guards the division by the sum of the weights: in 32 bits the weights of such endpoints came to nothing. No check
// lets them in, and the compiler takes the most that a weight may be.
TEST_F(ServiceAnswerTest, weights_that_no_check_has_seen_are_answered) {
  for (const char* address : {"10.0.0.61", "10.0.0.62", "10.0.0.63"}) {
    mesh.endpoint("eu-1/n1", "shop/api", address).weight = 1U << 30;
  }
  mesh.endpoint("eu-1/n1", "shop/api", "10.0.0.64").weight = 0xFFFFFFFF;
  for (const bool stream : {false, true}) {
    auto asking = asker(stream);
    const Reply srv = asking.ask_edns(kService, Type::SRV);
    ASSERT_EQ(srv.answer.size(), 4U);
    for (const std::string& record : srv.answer) EXPECT_EQ(Srv(record).weight, 65535) << record;
    EXPECT_EQ(asking.ask_edns("api.mesh.internal", Type::A).answer.size(), 4U);
  }
}

// Guards against memory shown in the names of targets: an endpoint without addresses has no name.
TEST_F(ServiceAnswerTest, an_endpoint_without_addresses_is_in_no_answer) {
  mesh.endpoint("eu-1/n1", "shop/api", "10.0.0.61");
  mesh.endpoint("eu-1/n1", "shop/api", "10.0.0.62").addresses.clear();
  for (const bool stream : {false, true}) {
    auto asking = asker(stream);
    for (const Type type : {Type::SRV, Type::A, Type::AAAA, Type::SVCB, Type::HTTPS, Type::TXT}) {
      for (const char* name : {kService, kBinding, "api.mesh.internal", "_all.api.mesh.internal",
                               "_explain.api.mesh.internal", "0-0-0-0.api.mesh.internal"}) {
        asking.ask_edns(name, type);
      }
    }
    EXPECT_EQ(asking.ask_edns(kService, Type::SRV).answer.size(), 1U);
    EXPECT_EQ(asking.ask_edns("0-0-0-0.api.mesh.internal", Type::A).rcode, static_cast<int>(wire::Rcode::NxDomain));
  }
}

// Guards the worker: endpoints that share an address were compared with all before them, port by port.
TEST_F(ServiceAnswerTest, endpoints_that_share_an_address_cost_by_their_number) {
  const auto cost = [&](int endpoints) {
    mesh.records.endpoints.clear();
    for (int i = 0; i < endpoints; ++i) {
      model::Endpoint one;
      one.key = "eu-1/n1/" + std::to_string(i);
      one.node = "eu-1/n1";
      one.namespace_ = "shop";
      one.service = "api";
      one.addresses = {IpAddress::v4(0x0A000061)};
      for (int port = 0; port < 32; ++port) {
        one.ports.push_back(
            {"p" + std::to_string(port), static_cast<std::uint16_t>(1 + 32 * (i % 50) + port), "TCP", ""});
      }
      one.health.state = model::HealthState::Serving;
      mesh.records.endpoints[one.key] = one;
    }
    auto asking = asker(true);
    const Bytes request = Request{.name = "api.mesh.internal", .type = Type::SRV, .edns = EdnsRequest{}}.bytes();
    return cpu_seconds([&] { asking.raw(request); });
  };
  const double one = cost(500);
  const double four = cost(2000);
  EXPECT_LT(four, one * kMostForFourTimes) << "500: " << one << " s, 2000: " << four << " s";
}

}  // namespace
}  // namespace meshdns::test
