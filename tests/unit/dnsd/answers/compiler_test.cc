// One table after the other: what came of many small updates is what one compile of everything gives.
#include "dnsd/answers/compiler.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "common/base/random_seed.h"
#include "dnsd/answers/compile.h"
#include "dnsd/catalog/catalog.h"
#include "tests/support/mesh/small_mesh.h"
#include "tests/unit/dnsd/answers/table_dump.h"

namespace meshdns::answers {
namespace {

/// A catalog whose changes reach a compiler as they do in meshdnsd.
class CompilerTest : public testing::Test {
 protected:
  CompilerTest() : trace_(__FILE__, __LINE__, "seed " + std::to_string(seed)) {
    settings.zones = {{"mesh.internal", {}, ""}, {"deep.mesh.internal", {}, ""}, {"0.10.in-addr.arpa", {}, ""}};
    settings.static_records = {"www 60 CNAME web.shop", "a.b 60 TXT x"};
    static_records = test::must(parse_records(settings.static_records, {"mesh.internal", "deep.mesh.internal"}));
    catalog.observe(&planner);
    update.base = make_base(settings, static_records);
    configure(planner, *update.base);
    update.locator = locator_input(catalog.records());
    update.clusters = cluster_records(catalog.records());
    next();
  }
  ~CompilerTest() override { catalog.observe(nullptr); }

  void next() {
    auto changes = planner.take(TimePoint{1h});
    update.put = std::move(changes.put);
    update.erased = std::move(changes.erased);
    if (changes.places) update.locator = locator_input(catalog.records());
    if (changes.geography) update.clusters = cluster_records(catalog.records());
    put = update.put.size();
    table = compiler.apply(std::exchange(update, {}));
  }
  /// One publication of a few hosts, as the Publisher makes them: planned hosts cost 1 ms each, and one outdated host
  /// at least is renewed. Where clients are is told now and then only.
  void next_slice(Duration most) {
    auto changes = planner.take(TimePoint{1h}, {.most = most, .most_for_steps = most},
                                [](const model::Policy&, std::size_t) { return Duration(1ms); });
    update.put = std::move(changes.put);
    update.erased = std::move(changes.erased);
    places_wait = places_wait || changes.places;
    if (places_wait && below(3) == 0) {
      update.locator = locator_input(catalog.records());
      places_wait = false;
    }
    if (changes.geography) update.clusters = cluster_records(catalog.records());
    compiler.begin(update);
    compiler.put(update.put);
    compiler.renew([this] { return below(3) == 0; });
    table = compiler.finish(std::exchange(update, {}));
  }
  /// A publication with clients of a new place, "<region>/z9/c9", that renews one host only.
  void add_clients(const std::string& region) {
    model::Node node;
    node.key = "c9/n9";
    node.locality = {.region = region, .zone = "z9", .cluster = "c9", .node = "n9"};
    node.prefixes = {Prefix::of(IpAddress::v4(0x0A090000), 16)};
    EXPECT_FALSE(catalog.put_node(node, now));
    planner.take(TimePoint{1h});
    update.locator = locator_input(catalog.records());
    compiler.begin(update);
    compiler.renew([] { return false; });
    table = compiler.finish(std::exchange(update, {}));
  }
  /// How many publications it takes until nothing waits.
  int drain(Duration most) {
    for (int count = 1;; ++count) {
      next_slice(most);
      const auto& queue = planner.queue();
      if (queue.oldest() > queue.newest() && !places_wait && compiler.outdated() == 0) return count;
      if (count == 10000) ADD_FAILURE() << "it does not come to an end";
      if (count == 10000) return count;
    }
  }
  void reload() {
    settings.zones.resize(1);
    if (below(2) == 0) settings.zones.push_back({"deep.mesh.internal", {}, ""});
    settings.zones.push_back({"0.10.in-addr.arpa", {}, ""});
    if (below(2) == 0) std::ranges::reverse(settings.zones);
    update.base = make_base(settings, static_records);
    configure(planner, *update.base);
    update.locator = locator_input(catalog.records());
    update.clusters = cluster_records(catalog.records());
  }
  std::shared_ptr<const AnswerTable> anew() const {
    return compile({.records = catalog.records(),
                    .settings = settings,
                    .static_records = static_records,
                    .now = TimePoint{1h}})
        .table;
  }

  int below(int end) { return std::uniform_int_distribution(0, end - 1)(random); }
  static std::string text(const char* head, int number) { return head + std::to_string(number); }
  std::string node_key() { return text("c", below(3)) + "/" + text("n", below(3)); }

  void put_node(const std::string& key) {
    model::Node node;
    node.key = key;
    node.locality = {
        .region = text("r", below(2)), .zone = text("z", below(3)), .cluster = key.substr(0, 2), .node = key.substr(3)};
    if (below(2) == 0)
      node.prefixes = {Prefix::of(IpAddress::v4(0x0A000000 + (static_cast<unsigned>(below(8)) << 16)), 16)};
    EXPECT_FALSE(catalog.put_node(node, now));
  }
  model::Endpoint endpoint(const std::string& node, int number) {
    model::Endpoint out;
    out.key = node + text("/e", number);
    out.node = node;
    out.namespace_ = below(4) == 0 ? "bank" : "shop";
    out.service = text("s", below(4));
    out.labels = {{"app", text("a", below(3))}};
    if (below(2) == 0) out.labels.edit()["tier"] = "front";
    out.addresses = {IpAddress::v4(0x0A000001 + static_cast<unsigned>(below(200)))};
    out.ports = {{"http", 8080, "TCP", ""}};
    out.health.state = static_cast<model::HealthState>(below(4));
    return out;
  }
  void put_object() {
    model::VirtualDestination object;
    object.meta = {.name = text("o", below(4)), .namespace_ = "shop", .created = below(3), .origin = "c1/i"};
    object.hosts = {text("h", below(4)) + ".mesh.internal", "s1.shop.mesh.internal"};
    if (below(3) == 0) object.hosts.push_back("x.deep.mesh.internal");
    model::ServiceSelector selector;
    if (below(3) == 0) selector.name = text("s", below(4));
    if (below(2) == 0) selector.match_labels["app"] = text("a", below(3));
    if (below(4) == 0) selector.match_labels["tier"] = "front";
    if (below(4) == 0) selector.clusters = {"c1"};
    if (below(4) == 0) selector.namespace_ = "bank";
    object.services = {selector};
    if (below(2) == 0)
      object.policy.ladder = {test::must(model::parse_rung("node")), test::must(model::parse_rung("any"))};
    catalog.put_destination(object, now);
  }
  void put_cluster() {
    model::Cluster cluster;
    cluster.meta.name = text("c", below(3));
    cluster.locality.region = text("r", below(2));
    cluster.distances = {{text("c", below(3)), Duration(below(3))}};
    if (below(2) == 0) cluster.client_prefixes = {Prefix::of(IpAddress::v4(0xC0A80000), 16 + below(4))};
    catalog.put_cluster(cluster, now);
  }
  void change() {
    const std::string node = node_key();
    switch (below(12)) {
      case 0: return put_node(node);
      case 1: return put_object();
      case 2: return put_cluster();
      case 3: catalog.erase_destination(text("shop/o", below(4)), now); return;
      case 4: catalog.erase_cluster(text("c", below(3)), now); return;
      case 5: return catalog.withdraw(node, now);
      case 6: return catalog.set_status(node, {below(2) == 0, below(2) == 0, now}, now);
      case 7: catalog.forget(1s, now); return;
      case 8: catalog.apply_delta(node, {}, {node + text("/e", below(4))}, now); return;
      default:
        if (!catalog.records().nodes.contains(node)) put_node(node);
        catalog.apply_delta(node, {endpoint(node, below(4))}, {}, now);
    }
  }

  const std::uint64_t seed = random_seed();
  testing::ScopedTrace trace_;
  std::mt19937_64 random{seed};
  TimePoint now{1h};
  catalog::Catalog catalog;
  topology::Planner planner{catalog.records()};
  AnswerSettings settings;
  std::vector<StaticRecord> static_records;
  Update update;
  Compiler compiler;
  std::shared_ptr<const AnswerTable> table;
  std::size_t put = 0;  // hosts that the last update held
  bool places_wait = false;
};

TEST_F(CompilerTest, ManySmallUpdatesComeToWhatOneCompileGives) {
  for (int round = 0; round < 400; ++round) {
    for (int i = below(4); i >= 0; --i) change();
    now += 1s;
    next();
    ASSERT_EQ(dump(*table), dump(*anew())) << "round " << round;
  }
}

// However the changes are cut into publications, and whatever comes between them.
TEST_F(CompilerTest, SlicesComeToWhatOneCompileGives) {
  for (int round = 0; round < 200; ++round) {
    for (int i = below(12); i >= 0; --i) {
      change();
      if (below(2) == 0) next_slice(std::chrono::milliseconds(1 + below(3)));
    }
    now += 1s;
    if (below(10) == 0) reload();
    drain(std::chrono::milliseconds(1 + below(3)));
    ASSERT_EQ(dump(*table), dump(*anew())) << "round " << round;
  }
}

// Every host of every table in between has a set for every place.
TEST_F(CompilerTest, TablesBetweenSlicesAreWhole) {
  for (int round = 0; round < 400; ++round) {
    change();
    next_slice(1ms);
    for (const std::string& text : dump(*table)) ASSERT_FALSE(text.empty());
  }
}

TEST_F(CompilerTest, ClientsOfANewPlaceGetWhatTheServersNeighboursGetUntilAHostHasMoved) {
  settings.own = {.region = "r0", .zone = "z0"};
  reload();
  // the nearest cluster of the server is not the first by name, as it is for clients who are near to none
  for (int cluster = 1; cluster <= 8; ++cluster) {
    const std::string name = text("c", cluster);
    const std::string node = name + "/n1";
    model::Node at;
    at.key = node;
    at.locality = {.region = "r0", .zone = cluster == 5 ? "z0" : "z1", .cluster = name, .node = "n1"};
    EXPECT_FALSE(catalog.put_node(at, now));
    std::vector<model::Endpoint> endpoints;
    for (int i = 0; i < 20; ++i) {
      endpoints.push_back(endpoint(node, i));
      endpoints.back().namespace_ = "shop";
      endpoints.back().service = text("t", i);
      endpoints.back().health.state = model::HealthState::Serving;
    }
    catalog.apply_delta(node, endpoints, {}, now);
  }
  next();
  const std::size_t places = table->where->places.size();
  add_clients("r9");
  ASSERT_GT(table->where->places.size(), places);
  EXPECT_GT(compiler.outdated(), 0U);
  const auto in = [&](const std::string& place) {
    return static_cast<std::uint32_t>(std::ranges::find(table->where->places, place) - table->where->places.begin());
  };
  ASSERT_THAT(table->where->places, testing::IsSupersetOf({"r0/z0/-", "r9/z9/c9"}));
  std::size_t moved = 0;
  for (std::uint32_t number = 0; number < planner.hosts(); ++number) {
    const Host& host = *table->host(number);
    const Set& own = table->set(host, in("r0/z0/-"));
    moved += &table->set(host, in("r9/z9/c9")) != &own ? 1 : 0;
  }
  EXPECT_EQ(moved, 1U);
  drain(1ms);
  EXPECT_EQ(compiler.outdated(), 0U);
  EXPECT_EQ(dump(*table), dump(*anew()));
}

// A host that is only moved to another zone keeps waiting for its new sets; else it would never get them.
TEST_F(CompilerTest, AReloadForgetsNoOutdatedHost) {
  for (int cluster = 1; cluster <= 2; ++cluster) {
    model::Node at;
    at.key = text("c", cluster) + "/n1";
    at.locality = {.region = text("r", cluster), .zone = "z1", .cluster = text("c", cluster), .node = "n1"};
    EXPECT_FALSE(catalog.put_node(at, now));
    std::vector<model::Endpoint> endpoints;
    for (int i = 0; i < 20; ++i) {
      endpoints.push_back(endpoint(at.key, i));
      endpoints.back().namespace_ = "shop";
      endpoints.back().service = text("t", i);
      endpoints.back().addresses = {IpAddress::v4(0x0A000000 + static_cast<unsigned>(cluster * 100 + i))};
      endpoints.back().health.state = model::HealthState::Serving;
    }
    catalog.apply_delta(at.key, endpoints, {}, now);
  }
  next();
  add_clients("r2");  // the second cluster's region
  ASSERT_GT(compiler.outdated(), 0U);
  std::ranges::reverse(settings.zones);
  update.base = make_base(settings, static_records);
  configure(planner, *update.base);
  drain(1ms);
  EXPECT_EQ(dump(*table), dump(*anew()));
}

// Guards a reload from making every host anew while an endpoint's failure waits.
TEST_F(CompilerTest, AReloadPlansNoHostAgain) {
  for (int i = 0; i < 100; ++i) change();
  drain(1s);
  update.base = make_base(settings, static_records);
  configure(planner, *update.base);
  next();
  EXPECT_EQ(put, 0U);
  EXPECT_EQ(dump(*table), dump(*anew()));
}

// Each service has a host in each of the two zones.
TEST_F(CompilerTest, AFlipCopiesOnlyThePagesOfItsHosts) {
  put_node("c1/n1");
  std::vector<model::Endpoint> endpoints;
  for (int i = 0; i < 300; ++i) {
    endpoints.push_back(endpoint("c1/n1", i));
    endpoints.back().namespace_ = "shop";
    endpoints.back().service = text("t", i);
    endpoints.back().health.state = model::HealthState::Serving;
  }
  catalog.apply_delta("c1/n1", endpoints, {}, now);
  next();
  EXPECT_EQ(put, 600U);
  const auto before = table;
  endpoints[7].health.state = model::HealthState::Failing;
  catalog.apply_delta("c1/n1", {endpoints[7]}, {}, now);
  next();
  EXPECT_EQ(put, 2U) << "the other hosts are not planned again";
  EXPECT_EQ(table->names, before->names);
  EXPECT_EQ(table->where, before->where);
  ASSERT_EQ(table->pages.size(), before->pages.size());
  std::size_t copied = 0;
  std::size_t made = 0;
  for (std::size_t i = 0; i < table->pages.size(); ++i) copied += table->pages[i].get() != before->pages[i].get();
  for (std::uint32_t i = 0; i < 600; ++i) made += table->host(i) != before->host(i);
  EXPECT_GE(copied, 1U);
  EXPECT_LE(copied, 2U);
  EXPECT_EQ(made, 2U);
}

TEST_F(CompilerTest, TheNamesOfAddressesAreCopiedWhereTheyChange) {
  put_node("c1/n1");
  std::vector<model::Endpoint> endpoints;
  for (int i = 0; i < 2000; ++i) {
    endpoints.push_back(endpoint("c1/n1", i));
    endpoints.back().addresses = {IpAddress::v4(0x0A000000 + static_cast<unsigned>(i) * 7)};
    endpoints.back().service = text("t", i % 50);
  }
  std::ranges::shuffle(endpoints, random);
  catalog.apply_delta("c1/n1", endpoints, {}, now);
  next();
  ASSERT_GE(table->reverse.pages.size(), 2000 / ReversePage::kMost);
  ASSERT_EQ(dump(*table), dump(*anew()));
  const auto changed = [before = table](const AnswerTable& after) {
    std::size_t other = 0;
    for (const auto& page : after.reverse.pages) {
      other += std::ranges::none_of(before->reverse.pages, [&](const auto& old) { return old.get() == page.get(); });
    }
    return other;
  };
  endpoints[7].health.state = model::HealthState::Failing;
  catalog.apply_delta("c1/n1", {endpoints[7]}, {}, now);
  next();
  EXPECT_EQ(changed(*table), 0U) << "health names nobody";
  catalog.apply_delta("c1/n1", {}, {endpoints[8].key}, now);
  next();
  EXPECT_EQ(changed(*table), 1U);
  EXPECT_EQ(table->reverse.find(endpoints[8].addresses[0]), nullptr);
  catalog.withdraw("c1/n1", now);
  next();
  EXPECT_TRUE(table->reverse.empty());
}

TEST_F(CompilerTest, ReverseZonesCanComeAndGo) {
  put_node("c1/n1");
  catalog.apply_delta("c1/n1", {endpoint("c1/n1", 1), endpoint("c1/n1", 2)}, {}, now);
  next();
  EXPECT_FALSE(table->reverse.empty());
  const AnswerSettings with = settings;
  for (const bool there : {false, true}) {
    settings = with;
    if (!there) settings.zones.pop_back();
    update.base = make_base(settings, static_records);
    configure(planner, *update.base);
    next();
    EXPECT_EQ(table->reverse.empty(), !there);
    EXPECT_EQ(dump(*table), dump(*anew()));
  }
}

TEST_F(CompilerTest, AnOldTableIsWhatItWas) {
  put_node("c1/n1");
  catalog.apply_delta("c1/n1", {endpoint("c1/n1", 1)}, {}, now);
  next();
  const auto before = table;
  const auto text = dump(*before);
  for (int i = 0; i < 50; ++i) {
    change();
    next();
  }
  EXPECT_EQ(dump(*before), text);
}

}  // namespace
}  // namespace meshdns::answers
