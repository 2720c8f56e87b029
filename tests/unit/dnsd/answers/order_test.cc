// Nothing that is answered depends on the order in which records came: a replica that starts later, another federation
// and a server that has restarted answer alike. Hosts that several services or objects claim, addresses and prefixes
// that several nodes claim, gateways, external names, names of addresses, and places of clients.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "common/base/random_seed.h"
#include "common/model/memberships.h"
#include "dnsd/answers/compile.h"
#include "dnsd/answers/compiler.h"
#include "dnsd/catalog/catalog.h"
#include "tests/support/mesh/small_mesh.h"
#include "tests/unit/dnsd/answers/table_dump.h"

namespace meshdns::answers {
namespace {

using test::must;

/// One server that gets records one after the other, and publishes now and then.
class Server {
 public:
  explicit Server(const AnswerSettings& settings) {
    catalog.observe(&planner_);
    update_.base = make_base(settings, {});
    configure(planner_, *update_.base);
    update_.locator = locator_input(catalog.records());
    update_.clusters = cluster_records(catalog.records());
  }
  ~Server() { catalog.observe(nullptr); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void publish() {
    auto changes = planner_.take(TimePoint{1h});
    update_.put = std::move(changes.put);
    update_.erased = std::move(changes.erased);
    if (changes.places) update_.locator = locator_input(catalog.records());
    if (changes.geography) update_.clusters = cluster_records(catalog.records());
    table = compiler_.apply(std::exchange(update_, {}));
  }
  /// The table, who has lost a host, and where clients are, as text.
  std::set<std::string> says() {
    publish();
    std::set<std::string> out = dump(*table);
    for (const auto& conflict : planner_.conflicts()) out.insert(conflict.object + ": " + conflict.message);
    const Locator& locator = table->where->locator;
    for (unsigned client = 0; client < 64; ++client) {
      const IpAddress address = IpAddress::v4(0x0A000000U + ((client / 4U) << 16U) + 1U + client % 4U);
      const Located own = locator.locate(address, 0, {});
      wire::ClientSubnet subnet;
      subnet.present = true;
      subnet.family = 1;
      subnet.source = 32;
      subnet.address.fill(0);
      std::ranges::copy(address.bytes(), subnet.address.begin());
      const Located passed = locator.locate(must(IpAddress::parse("192.0.2.53")), 0, subnet);
      out.insert(address.text() + " is at " + table->where->places[own.place] + " " + locator.reasons[own.reason] +
                 ", by the forwarder at " + table->where->places[passed.place] + " " + locator.reasons[passed.reason]);
    }
    for (const std::string& text : locator.contested) out.insert(text);
    return out;
  }

  catalog::Catalog catalog;
  std::shared_ptr<const AnswerTable> table;

 private:
  topology::Planner planner_{catalog.records()};
  Compiler compiler_;
  Update update_;
};

class OrderTest : public testing::Test {
 protected:
  using Record = std::function<void(catalog::Catalog&)>;

  OrderTest() : trace_(__FILE__, __LINE__, "seed " + std::to_string(seed_)) {
    settings_.zones = {{"mesh.internal", {}, ""}, {"0.10.in-addr.arpa", {}, ""}};
    settings_.auto_hosts = "{service}.{zone}";  // two namespaces make one name
    settings_.own = {.cluster = "c0"};
    settings_.forwarders.push_back({must(Prefix::parse("192.0.2.53/32")), model::Part::Cluster});
    settings_.listeners.push_back({"10.0.9.1:53", {}});
  }

  unsigned below(unsigned end) { return std::uniform_int_distribution(0U, end - 1)(random_); }
  std::string text(const std::string& head, unsigned number) { return head + std::to_string(number); }
  std::string node_key(unsigned number) { return text("c", number % 3) + text("/n", number); }

  void add_node(unsigned number) {
    model::Node node;
    node.key = node_key(number);
    node.locality = {.region = text("r", below(2)),
                     .zone = text("z", below(3)),
                     .cluster = node.key.substr(0, 2),
                     .node = node.key.substr(3)};
    if (below(2) == 0) node.locality.network = "net";
    node.addresses = {IpAddress::v4(0x0A000001U + below(6))};
    node.prefixes = {Prefix::of(IpAddress::v4(0x0A000000U + (below(6) << 16U)), 16)};
    node.session = below(4);
    records_.push_back([node](catalog::Catalog& to) { to.mirror(node); });
    if (below(3) > 0) return;
    const model::NodeStatus status{.silent = below(2) == 0, .in_doubt = true, .unwatched = below(2) == 0};
    records_.push_back([node, status](catalog::Catalog& to) { to.mirror(node.key, status); });
  }
  void add_endpoint(unsigned number) {
    model::Endpoint out;
    out.node = node_key(below(8));
    out.key = out.node + text("/e", number);
    out.namespace_ = below(2) == 0 ? "bank" : "shop";
    out.service = text("s", below(4));
    out.addresses = {IpAddress::v4(0x0A000001U + below(12))};
    if (below(3) == 0) out.addresses.push_back(must(IpAddress::parse(text("fd00::", 1 + below(4)))));
    out.ports = {{below(2) == 0 ? "http" : "web", static_cast<std::uint16_t>(8080 + below(2)), "TCP",
                  below(2) == 0 ? "http" : ""}};
    out.health.state = static_cast<model::HealthState>(below(4));
    out.unwatched = below(5) == 0;
    if (below(3) == 0) out.service.clear();
    for (const char* name : {"s0", "s2", "s4"}) {
      if (below(3) > 0) continue;
      model::Membership membership{.service = name, .hostname = below(2) == 0 ? "" : text("h-", below(2))};
      membership.ports = {{below(2) == 0 ? "http" : "web", static_cast<std::uint16_t>(9090 + below(2)), "TCP", ""}};
      membership.not_ready_too = below(2) == 0;
      out.memberships.push_back(membership);
    }
    records_.push_back([out](catalog::Catalog& to) { to.mirror(out); });
    for (const auto& service : services_of(out)) services_.try_emplace(service, static_cast<std::int64_t>(below(3)));
  }
  void add_object(unsigned number) {
    model::VirtualDestination object;
    object.meta = {.name = text("o", number), .namespace_ = "shop", .created = below(2), .origin = "c1/i"};
    object.hosts = {text("h", below(3)) + ".mesh.internal", text("s", below(4)) + ".mesh.internal"};
    object.services = {{"", text("s", below(4)), {}, {}, {}}};
    model::ExternalEndpoint external;
    external.hostname = text("x", below(2)) + ".example.net";
    external.port = 443;
    object.external_endpoints = {external};
    records_.push_back([object](catalog::Catalog& to) { to.mirror(object); });
  }
  void add_cluster(unsigned number) {
    model::Cluster cluster;
    cluster.meta.name = text("c", number);
    cluster.locality = {.network = below(2) == 0 ? "net" : "", .region = text("r", below(2))};
    cluster.gateways = {{IpAddress::v4(0x0A090001U + below(2)), {{"http", 80, "TCP", ""}}}};
    if (below(2) == 0) cluster.client_prefixes = {Prefix::of(IpAddress::v4(0x0A000000U + (below(6) << 16U)), 16)};
    records_.push_back([cluster](catalog::Catalog& to) { to.mirror(cluster); });
  }
  void draw_records() {
    records_.clear();
    services_.clear();
    for (unsigned i = 0; i < 8; ++i) add_node(i);
    for (unsigned i = 0; i < 16; ++i) add_endpoint(i);
    const unsigned objects = below(2) * 3;  // an object that comes settles anew who owns what, and hides what did not
    for (unsigned i = 0; i < objects; ++i) add_object(i);
    for (unsigned i = 0; i < 3; ++i) add_cluster(i);
    for (const auto& [service, created] : services_) {
      records_.push_back([service = service, created = created](catalog::Catalog& to) { to.mirror(service, created); });
    }
    for (const char* name : {"x0.example.net", "x1.example.net"}) {
      const model::ExternalName known{{IpAddress::v4(0x0A0A0001U + below(3)), must(IpAddress::parse("fd01::1"))}};
      records_.push_back([name, known](catalog::Catalog& to) { to.mirror(std::string(name), known); });
    }
  }
  /// The records in another order each time, some of them twice, with tables in between.
  void tell(Server& server) {
    for (int round = 0; round < 2; ++round) {
      std::ranges::shuffle(records_, random_);
      for (const Record& record : records_) {
        if (round == 1 && below(2) == 0) continue;
        record(server.catalog);
        if (below(6) == 0) server.publish();
      }
      server.catalog.mirrored(server.catalog.revision() + 1, TimePoint{1h});
    }
  }

  const std::uint64_t seed_ = random_seed();
  testing::ScopedTrace trace_;
  std::mt19937_64 random_{seed_};
  AnswerSettings settings_;
  std::vector<Record> records_;
  std::map<model::ServiceKey, std::int64_t> services_;
};

TEST_F(OrderTest, of_two_services_that_are_new_at_once_the_older_one_has_the_host) {
  model::Endpoint young;
  young.key = "c0/n0/a";
  young.node = "c0/n0";
  young.namespace_ = "bank";  // comes first by name
  young.service = "web";
  young.addresses = {must(IpAddress::parse("10.0.0.1"))};
  young.ports = {{"http", 80, "TCP", ""}};
  model::Endpoint old = young;
  old.key = "c0/n0/b";
  old.namespace_ = "shop";
  old.addresses = {must(IpAddress::parse("10.0.0.2"))};

  Server server(settings_);
  server.catalog.mirrored(1, TimePoint{1h});
  server.publish();  // from here on services come alone, without objects
  for (const model::Endpoint& endpoint : {young, old}) server.catalog.mirror(endpoint);
  server.catalog.mirror({"bank", "web"}, 2);
  server.catalog.mirror({"shop", "web"}, 1);
  const auto said = server.says();
  EXPECT_THAT(
      said, testing::Contains("service bank/web: host web.mesh.internal belongs to service shop/web, which is older"));
  EXPECT_THAT(said, testing::Contains("10.0.0.2 is at web.mesh.internal."));
  EXPECT_THAT(said, testing::Not(testing::Contains("10.0.0.1 is at web.mesh.internal.")));
}

TEST_F(OrderTest, the_same_records_in_any_order_give_the_same_table) {
  for (int round = 0; round < 60; ++round) {
    draw_records();
    Server first(settings_);
    tell(first);
    const auto expected = first.says();
    for (int again = 0; again < 3; ++again) {
      Server other(settings_);
      tell(other);
      ASSERT_THAT(other.says(), testing::ContainerEq(expected)) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace meshdns::answers
