// dns.endpoints_file as it is applied: what comes of a reload is what comes of a start with the same file.
#include "dnsd/app/mesh_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/config/load.h"
#include "dnsd/topology/planner.h"

namespace meshdns::dnsd::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;

std::string node(const std::string& name, const std::string& endpoints) {
  return "  - name: " + name + "\n    cluster: eu-1\n    addresses: [10.0.0.1]\n    endpoints: [" + endpoints + "]\n";
}

std::string endpoint(const std::string& service, const std::string& address) {
  return "{service: " + service + ", namespace: shop, address: " + address + ", ports: [{name: http, number: 80}]}";
}

std::string object(const std::string& name, const std::string& more = "") {
  return "  - apiVersion: meshdns.io/v1alpha1\n    kind: VirtualDestination\n    metadata: {name: " + name +
         ", namespace: shop}\n    spec: {hosts: [web.mesh.internal]" + more + "}\n";
}

std::string override_until(const std::string& end) {
  return "  - apiVersion: meshdns.io/v1alpha1\n    kind: Override\n    metadata: {name: o}\n"
         "    spec: {target: {cluster: eu-1}, action: Drain, reason: test, expires: \"" +
         end + "\"}\n";
}

std::string file(const std::string& nodes, const std::string& objects) {
  return "nodes:\n" + nodes + (objects.empty() ? "" : "objects:\n" + objects);
}

/// A process with its file.
class Process {
 public:
  explicit Process(std::size_t capacity = 0) { catalog_.set_capacity(capacity); }

  void apply(const std::string& text) {
    auto loaded = config::load_mesh(text, "mesh.yaml");
    ASSERT_TRUE(loaded) << config::problems_text(loaded.error());
    Configuration configuration;
    configuration.mesh_nodes = {loaded->nodes().begin(), loaded->nodes().end()};
    configuration.mesh_objects = {loaded->objects().begin(), loaded->objects().end()};
    now_ += 1s;
    file_.apply(configuration, now_, 1000 + now_.time_since_epoch() / 1s);
  }

  const model::Records& records() const { return catalog_.records(); }

  /// Each host with the object that owns it, and its endpoints.
  std::vector<std::string> hosts() {
    topology::Planner planner(records());
    planner.configure({.zones = {"mesh.internal"}}, [](const std::string&) { return false; });
    std::vector<std::string> out;
    for (const auto& host : planner.take(now_).put) {
      std::string text = host.name + " " + host.object + ":";
      for (const auto& candidate : host.candidates) text += " " + candidate.address_text();
      out.push_back(text);
    }
    return out;
  }

 private:
  catalog::Catalog catalog_;
  persistence::Objects objects_{catalog_, "eu-1/test"};
  MeshFile file_{catalog_, objects_};
  TimePoint now_{1h};
};

void expect_as_a_start(const std::vector<std::string>& files, std::size_t capacity = 0) {
  Process reloaded(capacity);
  for (const std::string& text : files) reloaded.apply(text);
  Process started(capacity);
  started.apply(files.back());
  EXPECT_EQ(reloaded.hosts(), started.hosts());
  EXPECT_EQ(reloaded.records().nodes, started.records().nodes);
  EXPECT_EQ(reloaded.records().services.size(), started.records().services.size());
  std::vector<std::string> a, b;
  for (const auto& [key, one] : reloaded.records().endpoints) a.push_back(key);
  for (const auto& [key, one] : started.records().endpoints) b.push_back(key);
  EXPECT_EQ(a, b);
}

// The object that was written later was the younger one after a reload, and as old as the other after a start.
TEST(MeshFile, who_has_a_host_does_not_depend_on_when_it_was_written) {
  const std::string nodes = node("n1", endpoint("web", "10.0.0.2"));
  expect_as_a_start({file(nodes, object("web")), file(nodes, object("app") + object("web"))});
  Process process;
  process.apply(file(nodes, object("web")));
  process.apply(file(nodes, object("app", ", services: [{name: web}]") + object("web")));
  EXPECT_THAT(process.hosts(),
              ElementsAre("web.mesh.internal shop/app: 10.0.0.2:80", "web.shop.mesh.internal : 10.0.0.2:80"));
}

TEST(MeshFile, what_the_file_has_no_more_is_gone_at_once) {
  const std::string nodes = node("n1", endpoint("web", "10.0.0.2") + ", " + endpoint("old", "10.0.0.3"));
  expect_as_a_start({file(nodes + node("n2", endpoint("gone", "10.0.0.4")), object("web")),
                     file(node("n1", endpoint("web", "10.0.0.2")), "")});
}

TEST(MeshFile, an_object_that_is_refused_takes_no_other_away_and_does_not_stay) {
  const std::string nodes = node("n1", endpoint("web", "10.0.0.2"));
  Process process;
  process.apply(file(nodes, override_until("2099-01-01T00:00:00Z") + object("web")));
  EXPECT_THAT(process.records().overrides, ElementsAre(Key("o")));
  process.apply(file(nodes, override_until("1970-01-01T00:00:01Z") + object("app")));
  EXPECT_THAT(process.records().overrides, IsEmpty());
  EXPECT_THAT(process.records().destinations, ElementsAre(Key("shop/app")));
  expect_as_a_start({file(nodes, override_until("2099-01-01T00:00:00Z") + object("web")),
                     file(nodes, override_until("1970-01-01T00:00:01Z") + object("app"))});
}

TEST(MeshFile, what_goes_makes_room_for_what_comes) {
  std::string first, second;
  for (int i = 0; i < 4; ++i) {
    first += (i == 0 ? "" : ", ") + endpoint("web", "10.0.0." + std::to_string(10 + i));
    second += (i == 0 ? "" : ", ") + endpoint("web", "10.0.0." + std::to_string(20 + i));
  }
  expect_as_a_start({file(node("n1", first), ""), file(node("n1", second), "")}, 8);
}

}  // namespace
}  // namespace meshdns::dnsd::app
