// What DNS answers, what explain says of it, and what simulate says where nothing is supposed, are one.
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/random_seed.h"
#include "common/convert/report_convert.h"
#include "dnsd/explain/explanation.h"
#include "dnsd/explain/simulation.h"
#include "dnsd/explain/survey.h"
#include "tests/support/mesh/asker.h"
#include "tests/support/mesh/random_mesh.h"

namespace meshdns::explain {
namespace {

using google::protobuf::util::MessageDifferencer;
using test::RandomMesh;

constexpr int kMeshes = 400;

v1::ExplainRequest request_for(const std::string& client) {
  v1::ExplainRequest request;
  request.set_host(RandomMesh::kHost);
  request.set_client(client);
  return request;
}

/// The addresses of records "web.mesh.internal. 5 IN A 10.0.0.1", sorted.
std::vector<std::string> addresses_in(const std::vector<std::string>& records) {
  std::vector<std::string> out;
  for (const std::string& record : records) out.push_back(record.substr(record.rfind(' ') + 1));
  std::ranges::sort(out);
  return out;
}

/// Those that explain says are answered, of one family, sorted.
std::vector<std::string> explained(const v1::ExplainReply& reply, bool v6) {
  std::vector<std::string> out;
  for (const std::string& address : reply.answer()) {
    if ((address.find(':') != std::string::npos) == v6) out.push_back(address);
  }
  std::ranges::sort(out);
  return out;
}

/// What explain's TXT records say of tiers: number and load of each.
std::vector<std::string> tiers_in(const std::vector<std::string>& records) {
  std::vector<std::string> out;
  for (const std::string& record : records) {
    const auto tier = record.find(" tier ");
    const auto load = record.find(" load ");
    if (tier == std::string::npos || load == std::string::npos || record.find("drawn") != std::string::npos) continue;
    const auto number = record.substr(tier + 6, record.find(' ', tier + 6) - tier - 6);
    out.push_back(number + " " + record.substr(load + 6, record.find('%', load) - load - 6));
  }
  std::ranges::sort(out);
  return out;
}

void expect_one_answer(RandomMesh& mesh, const std::string& client, std::uint32_t second) {
  SCOPED_TRACE(client + " in second " + std::to_string(second));
  const auto reply = explain(mesh.scene(second), request_for(client));
  ASSERT_TRUE(reply) << reply.error().message();
  test::Asker asker(mesh.table, client);
  asker.unix_seconds = second;
  const auto v4 = asker.ask(RandomMesh::kHost, wire::Type::A);
  const auto v6 = asker.ask(RandomMesh::kHost, wire::Type::AAAA);
  const std::size_t most = reply->max_answers();
  const auto check = [&](const std::vector<std::string>& answered, const std::vector<std::string>& said) {
    EXPECT_EQ(answered.size(), std::min(most, said.size()));
    EXPECT_TRUE(std::ranges::includes(said, answered)) << reply->DebugString();
  };
  check(addresses_in(v4.answer), explained(*reply, false));
  check(addresses_in(v6.answer), explained(*reply, true));
  const auto ttl = std::to_string(convert::from_wire(reply->ttl()) / 1s);
  for (const std::string& record : v4.answer) EXPECT_NE(record.find(" " + ttl + " "), std::string::npos) << record;
  asker.stream = true;
  const auto lines = asker.ask("_explain." + std::string(RandomMesh::kHost), wire::Type::TXT).answer;
  std::vector<std::string> said;
  for (const auto& tier : reply->tiers())
    said.push_back(std::to_string(tier.number()) + " " + std::to_string(tier.load()));
  std::ranges::sort(said);
  EXPECT_EQ(tiers_in(lines), said);
  if (!reply->has_drawn_for()) return;
  const std::string drawn = "drawn for this client now: tier " + std::to_string(reply->answer_tier());
  EXPECT_TRUE(std::ranges::any_of(lines, [&](const auto& line) { return line.find(drawn) != std::string::npos; }));
}

class AgreementTest : public testing::Test {
 protected:
  template <class Property>
  void for_many_meshes(const Property& property) {
    for (std::uint32_t i = 0; i < kMeshes && !HasFailure(); ++i) {
      SCOPED_TRACE("seed " + std::to_string(seed_ + i));
      RandomMesh mesh(seed_ + i);
      property(mesh);
    }
  }
  static constexpr std::uint32_t kMostSeed = 1U << 30;
  const std::uint32_t seed_ = static_cast<std::uint32_t>(random_seed() % kMostSeed);
};

TEST_F(AgreementTest, dns_answers_what_explain_says) {
  std::size_t spread = 0;
  for_many_meshes([&](RandomMesh& mesh) {
    for (const std::string& client : mesh.clients()) {
      for (const std::uint32_t second : {1U, 7U, 100U}) expect_one_answer(mesh, client, second);
    }
    spread += mesh.table->spread_hosts;
  });
  EXPECT_GT(spread, 0U) << "the meshes are too simple";  // twenty or so are usual
}

TEST_F(AgreementTest, what_supposes_nothing_changes_nothing) {
  for_many_meshes([](RandomMesh& mesh) {
    for (const std::string& client : mesh.clients()) {
      v1::SimulateRequest request;
      *request.mutable_explain() = request_for(client);
      const auto supposition = supposed(mesh.catalog.records().overrides, request);
      ASSERT_TRUE(supposition);
      const auto reply = simulate(mesh.scene(), request, *supposition);
      ASSERT_TRUE(reply) << reply.error().message();
      const auto now = explain(mesh.scene(), request.explain());
      EXPECT_TRUE(MessageDifferencer::Equals(reply->before(), *now));
      EXPECT_TRUE(MessageDifferencer::Equals(reply->after(), *now));
      EXPECT_EQ(reply->endpoints_size(), 0);
    }
  });
}

// What simulate foretells comes true when operators say it.
TEST_F(AgreementTest, what_is_supposed_comes_true) {
  for_many_meshes([](RandomMesh& mesh) {
    v1::SimulateRequest request;
    v1::OverrideSpec& spec = *request.add_overrides();
    spec.set_action("Down");
    spec.mutable_target()->set_cluster("c2");
    std::vector<v1::ExplainReply> foretold;
    for (const std::string& client : mesh.clients()) {
      *request.mutable_explain() = request_for(client);
      foretold.push_back(
          simulate(mesh.scene(), request, *supposed(mesh.catalog.records().overrides, request))->after());
    }
    model::Override word;
    word.meta.name = "real";
    word.target = {model::TargetKind::Cluster, "c2"};
    word.action = model::Action::Down;
    word.reason = "simulated";
    mesh.catalog.mirror(word);
    const auto clients = mesh.clients();
    for (std::size_t i = 0; i < clients.size(); ++i) {
      auto now = *explain(mesh.scene(), request_for(clients[i]));
      EXPECT_TRUE(MessageDifferencer::Equals(foretold[i], now)) << foretold[i].DebugString() << now.DebugString();
    }
  });
}

TEST_F(AgreementTest, a_survey_that_supposes_nothing_finds_nothing) {
  for_many_meshes([](RandomMesh& mesh) {
    const auto scene = mesh.scene();
    Survey survey(scene, *supposed(mesh.catalog.records().overrides, {}));
    EXPECT_TRUE(survey.look(scene, 1000));
    EXPECT_EQ(survey.reply().rows(), 0U);
  });
}

}  // namespace
}  // namespace meshdns::explain
