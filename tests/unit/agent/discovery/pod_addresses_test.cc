// Which pod has which address: at random, beside the rule in its plain form, and with very many pods.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <random>
#include <tuple>

#include "agent/discovery/pod_store.h"

namespace meshdns::discovery {
namespace {

using kubernetes::EventType;

/// A pod as the API shows it.
struct Shown {
  std::vector<std::string> addresses;
  int started = 0;
  bool deleted = false;
  bool ended = false;
  bool host_network = false;

  boost::json::object object(const std::string& uid) const {
    std::string ips;
    for (const std::string& address : addresses)
      ips += (ips.empty() ? "" : ",") + fmt::format(R"({{"ip":"{}"}})", address);
    const std::string times =
        deleted ? R"(,"deletionTimestamp":"2026-12-01T00:00:00Z","deletionGracePeriodSeconds":30)" : "";
    return boost::json::parse(
               fmt::format(R"({{"metadata":{{"uid":"{0}","namespace":"shop","name":"{0}"{1}}},)"
                           R"("spec":{{"nodeName":"n1","hostNetwork":{2},"containers":[{{"name":"c"}}]}},)"
                           R"("status":{{"phase":"{3}","startTime":"2026-11-30T00:00:{4:02}Z","podIPs":[{5}]}}}})",
                           uid, times, host_network, ended ? "Succeeded" : "Running", started, ips))
        .as_object();
  }
};

/// The rule in its plain form: everything is decided anew after each event.
class Reference {
 public:
  void put(const std::string& uid, const Shown& shown) {
    Entry& entry = entries_[uid];
    const bool was_deleted = entry.shown.deleted;
    if (!shown.addresses.empty() && !was_deleted) entry.reported = shown.addresses;
    entry.shown = shown;
    settle();
  }
  void remove(const std::string& uid) {
    entries_.erase(uid);
    settle();
  }
  std::map<std::string, std::vector<std::string>> addresses() const {
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& [uid, entry] : entries_) out[uid] = entry.kept;
    return out;
  }

 private:
  struct Entry {
    Shown shown;
    std::vector<std::string> reported, kept;
  };
  static bool claims(const Entry& entry) { return !entry.shown.ended && !entry.shown.host_network; }
  bool loses(const std::string& uid, const std::string& address) const {
    const auto rank = [](const std::string& of, const Entry& entry) {
      return std::tuple(!entry.shown.deleted, entry.shown.started, of);
    };
    return std::ranges::any_of(entries_, [&](const auto& other) {
      return claims(other.second) && std::ranges::count(other.second.reported, address) > 0 &&
             rank(other.first, other.second) > rank(uid, entries_.at(uid));
    });
  }
  void settle() {
    for (auto& [uid, entry] : entries_) {
      entry.kept = entry.reported;
      if (claims(entry)) std::erase_if(entry.kept, [&](const auto& address) { return loses(uid, address); });
    }
    for (auto& [uid, entry] : entries_) {
      if (entry.shown.deleted) entry.reported = entry.kept;
    }
  }

  std::map<std::string, Entry> entries_;
};

std::map<std::string, std::vector<std::string>> addresses_of(const PodStore& store) {
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& [uid, pod] : store.pods()) {
    for (const IpAddress& address : pod.addresses) out[uid].push_back(address.text());
    out.try_emplace(uid);
  }
  return out;
}

TEST(PodAddresses, are_those_of_the_plain_rule_after_each_of_many_random_events) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::minstd_rand random(seed + 1);
    const auto one_of = [&random](unsigned count) { return static_cast<int>(random() % count); };
    PodStore store;
    Reference reference;
    for (int step = 0; step < 200; ++step) {
      const std::string uid = fmt::format("pod-{}", one_of(6));
      if (one_of(8) == 0) {
        store.apply(EventType::Deleted, Shown().object(uid));
        reference.remove(uid);
      } else {
        Shown shown{
            .started = one_of(3), .deleted = one_of(3) == 0, .ended = one_of(6) == 0, .host_network = one_of(8) == 0};
        for (int i = one_of(3); i > 0; --i) {
          const std::string address = fmt::format("10.0.0.{}", one_of(4));
          if (std::ranges::count(shown.addresses, address) == 0) shown.addresses.push_back(address);
        }
        store.apply(EventType::Modified, shown.object(uid));
        reference.put(uid, shown);
      }
      ASSERT_EQ(addresses_of(store), reference.addresses()) << "seed " << seed << ", step " << step;
    }
  }
}

// An event looks at the pods that share its addresses only: with all pods, 20,000 took minutes.
TEST(PodAddresses, of_a_list_of_fifty_thousand_pods_are_known_in_time) {
  constexpr int kPods = 50000;
  PodStore store;
  store.begin_list();
  for (int i = 0; i < kPods; ++i) {
    const Shown shown{.addresses = {fmt::format("10.{}.{}.{}", i / 62500, i / 250 % 250, i % 250 + 1)}};
    store.apply(EventType::Added, shown.object(fmt::format("pod-{}", i)));
  }
  EXPECT_TRUE(store.listed());
  ASSERT_EQ(store.pods().size(), std::size_t{kPods});
  EXPECT_EQ(store.pods().at("pod-49999").addresses.size(), 1U);

  store.begin_list();
  EXPECT_TRUE(store.listed());
  EXPECT_TRUE(store.pods().empty());
}

}  // namespace
}  // namespace meshdns::discovery
