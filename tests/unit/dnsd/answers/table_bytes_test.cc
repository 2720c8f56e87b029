// What was kept answers as what was compiled; damaged bytes are refused, or are a table that reaches nowhere else.
#include "dnsd/answers/table_bytes.h"

#include <gtest/gtest.h>

#include <random>

#include "common/base/random_seed.h"
#include "tests/support/mesh/asker.h"

namespace meshdns::answers {
namespace {

using test::Asker;
using test::Bytes;
using test::SmallMesh;
using wire::Type;

constexpr TimePoint kNow{1h};

/// The standard mesh with what it lacks: an object with ports, clusters with distances, states, a reverse zone.
SmallMesh rich_mesh() {
  SmallMesh mesh = test::standard_mesh();
  mesh.settings.zones.push_back({"10.in-addr.arpa", {}, ""});
  mesh.endpoint("us-1/n1", "shop/web", "10.2.0.12").weight = 7;
  model::Endpoint& sick = mesh.endpoint("us-1/n1", "shop/web", "10.2.0.13");
  sick.health = {
      .state = model::HealthState::Failing, .in_doubt = true, .detail = "http 503", .since = TimePoint{30min}};
  mesh.endpoint("us-1/n1", "shop/api", "10.2.0.14").ports = {{"https", 443, "TCP", "https"}, {"dns", 53, "UDP", ""}};
  mesh.endpoints("us-1/n1", "shop/huge", 300);
  mesh.settings.zones.push_back({"svc.clusterset.local", {}, ""});
  for (const char* node : {"eu-1/n1", "us-1/n1"}) {
    const bool eu = node[0] == 'e';
    model::Endpoint& pod = mesh.endpoint(node, "shop/db", eu ? "10.0.0.51" : "10.2.0.51");
    pod.service.clear();
    pod.memberships = {{.service = "db", .ports = pod.ports.get(), .hostname = "db-0", .exported = eu}};
  }
  mesh.endpoint("eu-1/n1", "shop/api", "10.0.0.15").memberships = {
      {.service = "api", .ports = {{"https", 8443, "TCP", "https"}}, .hostname = "api-0"}};
  mesh.destination("api").families = model::Families::Independent;
  model::Cluster& cluster = mesh.records.clusters["eu-1"];
  cluster.meta.name = "eu-1";
  cluster.distances = {{"us-1", 80ms}};
  cluster.client_prefixes = {test::must(Prefix::parse("192.168.0.0/16"))};
  return mesh;
}

Base base_of(const SmallMesh& mesh) {
  return make_base(mesh.settings, test::must(parse_records(mesh.settings.static_records, {"mesh.internal"})));
}

Result<std::shared_ptr<const AnswerTable>> again(const SmallMesh& mesh, std::string_view bytes, Duration age = {}) {
  auto kept = kept_table_of(bytes, mesh.settings.zones.size(), kNow, age);
  if (!kept) return kept.error();
  auto table = restore(std::move(*kept), base_of(mesh));
  if (!table) return Error(Code::DataLoss, "elsewhere");
  return table;
}

std::vector<std::string> names_to_ask() {
  std::vector<std::string> out = {"mesh.internal",         "nope.mesh.internal",   "shop.mesh.internal",
                                  "www.mesh.internal",     "x.wild.mesh.internal", "11.0.0.10.in-addr.arpa",
                                  "99.0.0.10.in-addr.arpa"};
  for (const char* host :
       {"web.shop", "three.shop", "many.shop", "dead.shop", "fenced", "fenced.shop", "api", "huge.shop", "db.shop"}) {
    const std::string name = std::string(host) + ".mesh.internal";
    for (const char* below : {"", "_http._tcp.", "_https._tcp.", "_443._https.", "_all.", "_explain.", "10-0-0-11.",
                              "10-2-0-14.", "api-0.", "fd00-0-0-0-0-0-0-11.", "us.pin._region.",
                              "us-1.prefer._cluster.", "10-2-0-51.", "db-0.", "db-0.eu-1.", "db-0.us-1.", "us-1."}) {
      out.push_back(below + name);
    }
  }
  for (const char* below : {"", "_http._tcp.", "db-0.eu-1.", "db-0.us-1."}) {
    out.push_back(below + std::string("db.shop.svc.clusterset.local"));
  }
  return out;
}

/// All replies to the same questions, drawn with the same random numbers.
std::vector<Bytes> replies(std::shared_ptr<const AnswerTable> table) {
  std::vector<Bytes> out;
  for (const char* client : {"10.0.0.9", "10.2.0.9", "192.168.1.1", "192.0.2.53", "203.0.113.1"}) {
    Asker asker(table, client);
    for (const std::string& name : names_to_ask()) {
      for (const Type type : {Type::A, Type::AAAA, Type::SRV, Type::HTTPS, Type::TXT, Type::SOA, Type::PTR}) {
        test::Request request{.name = name, .type = type, .edns = test::EdnsRequest{}};
        out.push_back(asker.raw(request.bytes()));
        request.edns->subnet("10.2.0.0/24");
        out.push_back(asker.raw(request.bytes()));
      }
    }
  }
  return out;
}

TEST(TableBytesTest, AnswersAsItDid) {
  const SmallMesh mesh = rich_mesh();
  const auto table = mesh.table();
  const auto kept = again(mesh, bytes_of(*table, kNow));
  ASSERT_TRUE(kept) << kept.error().message();
  EXPECT_EQ((*kept)->serial, table->serial);
  EXPECT_EQ((*kept)->version.revision, table->version.revision);
  EXPECT_EQ((*kept)->names->hosts(), table->names->hosts());
  EXPECT_EQ((*kept)->reverse.pages.size(), table->reverse.pages.size());
  const auto expected = replies(table);
  const auto found = replies(*kept);
  ASSERT_EQ(expected.size(), found.size());
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(expected[i], found[i]) << "question " << i;
}

TEST(TableBytesTest, TwiceIsTheSame) {
  const SmallMesh mesh = rich_mesh();
  const std::string bytes = bytes_of(*mesh.table(), kNow);
  const auto kept = again(mesh, bytes);
  ASSERT_TRUE(kept);
  EXPECT_EQ(bytes_of(**kept, kNow).size(), bytes.size());
  EXPECT_TRUE(again(mesh, bytes_of(**kept, kNow)));
}

TEST(TableBytesTest, TimesGoOnWhileNothingRuns) {
  SmallMesh mesh = rich_mesh();
  for (auto& [key, endpoint] : mesh.records.endpoints) endpoint.health.since += 10min;
  const auto table = mesh.table();
  const auto kept = again(mesh, bytes_of(*table, kNow), 2h);
  ASSERT_TRUE(kept);
  EXPECT_EQ((*kept)->version.changed, table->version.changed - 2h);
  const auto name = test::must(wire::parse_name("web.shop.mesh.internal"));
  const auto since = [&](const AnswerTable& of) {
    std::vector<TimePoint> out;
    for (const auto& candidate : plan_of(*of.find(name, wire::hash_name(name)).host, "").candidates) {
      out.push_back(candidate.since);
    }
    return out;
  };
  auto expected = since(*table);
  for (TimePoint& time : expected) time -= 2h;
  EXPECT_EQ(since(**kept), expected);
}

// Another place of the server itself is another place of its clients.
TEST(TableBytesTest, OtherPlacesAreRefused) {
  SmallMesh mesh = rich_mesh();
  const std::string bytes = bytes_of(*mesh.table(), kNow);
  mesh.settings.own.region = "elsewhere";
  EXPECT_FALSE(again(mesh, bytes));
}

TEST(TableBytesTest, CutBytesAreRefused) {
  const SmallMesh mesh = rich_mesh();
  const std::string bytes = bytes_of(*mesh.table(), kNow);
  for (std::size_t size = 0; size < bytes.size(); size += size < 2000 ? 1 : 97) {
    ASSERT_FALSE(again(mesh, std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(again(mesh, bytes + "x"));
}

// The file has a checksum: this is about what a wrong one would let through.
TEST(TableBytesTest, DamagedBytesHarmNobody) {
  const std::uint64_t seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const SmallMesh mesh = rich_mesh();
  const std::string bytes = bytes_of(*mesh.table(), kNow);
  std::size_t refused = 0;
  for (int round = 0; round < 500; ++round) {
    std::string damaged = bytes;
    for (auto left = random() % 3 + 1; left > 0; --left) damaged[random() % bytes.size()] = static_cast<char>(random());
    const auto table = again(mesh, damaged);
    if (!table) {
      ++refused;
    } else if (round % 10 == 0) {
      EXPECT_FALSE(replies(*table).empty());
    }
  }
  EXPECT_GT(refused, 33U);
}

}  // namespace
}  // namespace meshdns::answers
