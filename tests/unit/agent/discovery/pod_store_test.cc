#include "agent/discovery/pod_store.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>

#include "agent/discovery/pod_endpoints.h"

namespace meshdns::discovery {
namespace {

using kubernetes::EventType;

constexpr const char* kFirstRun = "d5ff7936-b68a-41a7-99ce-451ac3249091";   // of app-b-1
constexpr const char* kSecondRun = "42a24cf8-0844-4b45-9438-b22d9d70f705";  // of app-b-1, after its deletion
constexpr const char* kContainer = "containerd://abababababababababababababababababababababababababababababababab";

/// The events that a real API server (1.34.4) sent while pods were made, changed, evicted and deleted.
class RealEvents {
 public:
  RealEvents() {
    std::ifstream file("tests/fuzz/corpus/pod_fuzz/lifecycle");
    for (std::string line; std::getline(file, line);) {
      auto event = boost::json::parse(line).as_object();
      const auto type = event["type"].as_string();
      types_.push_back(type == "ADDED" ? EventType::Added
                                       : (type == "DELETED" ? EventType::Deleted : EventType::Modified));
      objects_.push_back(event["object"].as_object());
    }
  }

  /// Applies the events up to this one, and returns whether it changed something.
  bool apply_until(PodStore& store, std::size_t last) {
    bool changed = false;
    for (; next_ <= last; ++next_) changed = store.apply(types_.at(next_), objects_.at(next_));
    return changed;
  }
  std::size_t size() const { return objects_.size(); }

 private:
  std::vector<EventType> types_;
  std::vector<boost::json::object> objects_;
  std::size_t next_ = 0;
};

TEST(PodStore, reads_what_a_real_server_sends) {
  RealEvents events;
  ASSERT_EQ(events.size(), 21U);
  PodStore store;
  events.apply_until(store, 0);
  const Pod& pod = store.pods().at(kFirstRun);
  EXPECT_EQ(pod.phase, Pod::Phase::Pending);
  EXPECT_TRUE(pod.addresses.empty());
  EXPECT_EQ(pod.ready, Pod::Ready{});

  events.apply_until(store, 2);
  Pod expected;
  expected.uid = kFirstRun;
  expected.namespace_ = "shop";
  expected.name = "app-b-1";
  expected.node = "g-n1";
  expected.started = 1795968000;
  expected.labels = {{"app", "app-b"}, {"version", "v1"}};
  expected.addresses = {IpAddress::parse("10.0.0.21").value()};
  expected.ports = {{"http", 8080, "TCP", ""}};
  expected.phase = Pod::Phase::Running;
  expected.ready = {true, "", 1795968000};
  expected.containers["c"] = {kContainer, 0, true};
  EXPECT_EQ(pod, expected);
  EXPECT_TRUE(store.problems().empty());
}

TEST(PodStore, follows_the_life_of_real_pods) {
  RealEvents events;
  PodStore store;
  events.apply_until(store, 6);
  EXPECT_TRUE(store.pods().at(kFirstRun).deletion.has_value());
  EXPECT_EQ(store.pods().at(kFirstRun).grace, 30s);
  events.apply_until(store, 8);
  EXPECT_EQ(store.pods().at(kFirstRun).grace, 0s);
  EXPECT_FALSE(store.pods().at(kFirstRun).ready.yes);
  EXPECT_TRUE(events.apply_until(store, 9));
  EXPECT_TRUE(store.pods().empty());

  events.apply_until(store, 11);  // the same name and address
  EXPECT_EQ(store.pods().at(kSecondRun).addresses.size(), 1U);
  events.apply_until(store, 13);  // a job that has finished
  events.apply_until(store, 15);  // and a pod with its address
  std::size_t with_address = 0;
  for (const auto& [uid, pod] : store.pods()) with_address += pod.has_ended() ? 0 : pod.addresses.size();
  EXPECT_EQ(with_address, 2U);
  events.apply_until(store, 20);
  EXPECT_EQ(store.pods().size(), 4U);
  EXPECT_TRUE(store.problems().empty());
}

// Pods that no label names get their services from the federation. Until then no host has them.
TEST(PodEndpoints, pods_without_a_service_are_endpoints_of_none) {
  RealEvents events;
  PodStore store;
  events.apply_until(store, 20);
  const PodListing listing = endpoints_of(store.pods());
  EXPECT_EQ(listing.without_service, 3U) << "the finished job is none";
  ASSERT_EQ(listing.endpoints.size(), 3U);
  for (const PodEndpoint& pod : listing.endpoints) EXPECT_EQ(pod.found.endpoint.service, "");
}

TEST(PodEndpoints, what_no_record_can_hold_is_left_out) {
  Pod pod;
  pod.uid = "u1";
  pod.namespace_ = "shop";
  pod.name = "web";
  pod.addresses = {IpAddress::parse("10.0.0.1").value()};
  pod.labels = {{"meshdns.io/service", "web"}, {"long", std::string(254, 'x')}};
  for (int i = 0; i < 70; ++i) pod.labels["l" + std::to_string(i)] = "x";
  for (std::uint16_t port = 1; port <= 70; ++port) pod.ports.push_back({"", port, "TCP", ""});
  const PodListing listing = endpoints_of({{"u1", pod}});
  ASSERT_EQ(listing.endpoints.size(), 1U);
  EXPECT_EQ(listing.endpoints[0].found.endpoint.labels.size(), 64U);
  EXPECT_EQ(listing.endpoints[0].found.endpoint.ports.size(), 64U);
  EXPECT_EQ(listing.problems,
            (std::vector<std::string>{"shop/web: 8 of its labels left out: at most 64, of at most 253 bytes",
                                      "shop/web: 6 of its ports left out: at most 64"}));
}

}  // namespace
}  // namespace meshdns::discovery
