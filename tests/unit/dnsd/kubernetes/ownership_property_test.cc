#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "common/base/text.h"
#include "common/model/memberships.h"
#include "tests/scenario/slices/cluster_bed.h"

// Services, slices, Nodes and agents change at random, each in its own order, and their orders are mixed at random.
// Whatever the mixture is, the records at the end are the same, and at every step each pod that always exists has
// exactly one record.

namespace meshdns::test {
namespace {

constexpr int kSeeds = 150;
constexpr int kChanges = 6;  // of each stream, before its last state

using Step = std::function<void(ClusterBed&)>;
using Stream = std::vector<Step>;

/// The pods of both nodes. The first one of each node always exists.
const std::map<std::string, std::vector<std::string>> kPods = {{"n1", {"u1", "u2"}}, {"n2", {"u3", "u4"}}};

std::string node_of(const std::string& uid) { return uid < "u3" ? "n1" : "n2"; }
std::string address_of(const std::string& uid) { return "10.0.0." + uid.substr(1); }
bool always_exists(const std::string& uid) { return uid == "u1" || uid == "u3"; }

/// Makes random streams from one seed.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_); }
  bool flip() { return below(2) == 0; }

  Step service(const std::string& name, bool stays) {
    ObjectOptions options;
    if (flip()) options["export"] = "true";
    if (flip()) options["notready"] = "true";
    if (!stays && flip()) return [=](ClusterBed& bed) { bed.remove("service", name, options); };
    return [=](ClusterBed& bed) { bed.put("service", name, options); };
  }

  /// whole: it has the pods that always exist
  Step slice(const std::string& name, const std::string& service, bool whole) {
    ObjectOptions options = {{"service", service}};
    for (const auto& [node, pods] : kPods) {
      for (const std::string& uid : pods) {
        const char* state = flip() ? "ready" : "notready";
        if ((whole && always_exists(uid)) || flip()) options[uid] = address_of(uid) + "/" + node + "//" + state;
      }
    }
    if (!whole && below(4) == 0) return [=](ClusterBed& bed) { bed.remove("slice", name, options); };
    return [=](ClusterBed& bed) { bed.put("slice", name, options); };
  }

  Step node(const std::string& name) {
    const ObjectOptions options = {{"region", "eu"}, {"zone", flip() ? "eu-a" : "eu-b"}};
    return [=](ClusterBed& bed) { bed.put("node", name, options); };
  }

  Step agent(const std::string& node) {
    ClusterBed::Pods pods;
    for (const std::string& uid : kPods.at(node)) {
      if (always_exists(uid) || flip()) pods[uid] = {address_of(uid)};
    }
    const bool leaves = below(3) == 0;
    const bool cannot = below(4) == 0;
    return [=](ClusterBed& bed) {
      if (leaves) {
        if (bed.is_connected(node)) bed.leave(node, true);
        return;
      }
      if (!bed.is_connected(node)) bed.connect(node, {.region = "eu", .zone = "eu-z"});
      if (!cannot) bed.report(node, pods);
    };
  }

  /// The last state of an agent: it has left, or it lists pods.
  Step last_of_agent(const std::string& node) {
    if (flip()) {
      return [=](ClusterBed& bed) {
        if (bed.is_connected(node)) bed.leave(node, true);
      };
    }
    ClusterBed::Pods pods;
    for (const std::string& uid : kPods.at(node)) {
      if (always_exists(uid) || flip()) pods[uid] = {address_of(uid)};
    }
    return [=](ClusterBed& bed) {
      if (!bed.is_connected(node)) bed.connect(node, {.region = "eu", .zone = "eu-z"});
      bed.report(node, pods);
    };
  }

  Stream stream(const std::function<Step()>& make) {
    Stream out;
    for (int i = 0; i < kChanges; ++i) out.push_back(make());
    return out;
  }

 private:
  std::mt19937 engine_;
};

std::vector<Stream> streams_of(Random& random) {
  std::vector<Stream> out;
  out.push_back(random.stream([&] { return random.service("web", true); }));
  out.push_back(random.stream([&] { return random.service("api", false); }));
  out.push_back(random.stream([&] { return random.slice("web-1", "web", true); }));
  out.push_back(random.stream([&] { return random.slice("web-2", "web", false); }));
  out.push_back(random.stream([&] { return random.slice("api-1", "api", false); }));
  for (const char* node : {"n1", "n2"}) {
    out.push_back(random.stream([&] { return random.node(node); }));
    out.push_back(random.stream([&] { return random.agent(node); }));
    out.back().push_back(random.last_of_agent(node));
  }
  return out;
}

void begin(ClusterBed& bed) {
  bed.list_everything();
  for (const char* node : {"n1", "n2"}) bed.put("node", node, {});
  bed.put("service", "web", {});
  bed.put("slice", "web-1", {{"service", "web"}, {"u1", "10.0.0.1/n1//ready"}, {"u3", "10.0.0.3/n2//ready"}});
}

/// One line for each record. Pending and failing are one: which of them a pod is depends on whether it ever served.
std::string text_of(const ClusterBed& bed) {
  std::string out;
  for (const auto& [key, record] : bed.catalog.records().endpoints) {
    const bool serves = record.health.state == model::HealthState::Serving;
    out += key + " " + record.source + " " + services_text(record) + (serves ? " serves" : " does not serve");
    for (const model::Membership& each : record.memberships) {
      out += (each.exported ? " exported" : " -") + std::string(each.not_ready_too ? "+" : "");
    }
    const model::Node* node = bed.catalog.latest_node(record.node);
    out += " " + (node == nullptr ? "nowhere" : node->locality.text()) + "\n";
  }
  return out;
}

::testing::AssertionResult each_has_one_record(const ClusterBed& bed) {
  for (const char* uid : {"u1", "u3"}) {
    const auto& endpoints = bed.catalog.records().endpoints;
    const auto found = endpoints.find("eu-1/" + node_of(uid) + "/pod/" + uid);
    const auto records = std::ranges::count_if(endpoints, [&](const auto& entry) { return entry.second.uid == uid; });
    if (found == endpoints.end() || records != 1) {
      return ::testing::AssertionFailure() << uid << " has " << records << " records";
    }
    if (!model::belongs_to(found->second, "web")) return ::testing::AssertionFailure() << uid << " is not in web";
  }
  return ::testing::AssertionSuccess();
}

TEST(OwnershipProperty, each_pod_has_one_owner_and_the_end_does_not_depend_on_the_order) {
  for (std::uint32_t seed = 1; seed <= kSeeds; ++seed) {
    Random random(seed);
    std::vector<Stream> streams = streams_of(random);
    ClusterBed reference;
    begin(reference);
    for (const Stream& stream : streams) stream.back()(reference);

    ClusterBed bed;
    begin(bed);
    std::vector<std::size_t> next(streams.size());
    for (;;) {
      std::vector<std::size_t> open;
      for (std::size_t i = 0; i < streams.size(); ++i) {
        if (next[i] < streams[i].size()) open.push_back(i);
      }
      if (open.empty()) break;
      const std::size_t at = open[random.below(open.size())];
      streams[at][next[at]++](bed);
      ASSERT_TRUE(each_has_one_record(bed)) << "seed " << seed;
    }
    ASSERT_EQ(text_of(bed), text_of(reference)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace meshdns::test
