// Whatever happens to the mesh, to the streams and to the federation: its subscribers end up holding what it holds.
#include <cstdlib>
#include <random>

#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {
    for (int i = 0; i < 3; ++i) subscribers_.push_back(std::make_unique<Subscriber>(clock_));
    links_.resize(subscribers_.size());
  }

  void step() {
    clock_.advance(std::chrono::milliseconds(below(2000)));
    const int what = below(100);
    if (what < 55) return change_mesh();
    if (what < 70) return federation_.watchers().changed();
    if (what < 73) return federation_.watchers().heartbeat();
    if (what < 75) return sync();
    if (what < 90) return carry_some();
    if (what < 97) return toggle_link();
    restart();
  }
  /// Everybody is connected, and all is said.
  void settle() {
    for (std::size_t i = 0; i < links_.size(); ++i) {
      if (!links_[i] || links_[i]->cut_by_federation()) connect(i);
    }
    if (recovery_) recovery_->approve();
    federation_.watchers().changed();
    for (const auto& link : links_) link->carry();
    federation_.watchers().heartbeat();  // who has to compare hears it
    for (std::size_t i = 0; i < links_.size(); ++i) {
      links_[i]->carry();
      subscribers_[i]->mirror.approve_shrink();
      if (links_[i]->closed_by_subscriber()) connect(i);
      links_[i]->carry();
    }
  }
  void expect_equality() {
    for (const auto& subscriber : subscribers_) expect_follows(federation_, *subscriber);
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<std::uint32_t>(limit)); }
  std::string node() { return "n" + std::to_string(below(4)); }
  model::Endpoint endpoint(const std::string& node) {
    auto out = catalog::endpoint("eu-1/" + node, std::to_string(below(12)));
    out.service = "s" + std::to_string(below(5));
    out.weight = static_cast<std::uint32_t>(below(3));
    out.health.state = below(2) == 0 ? model::HealthState::Serving : model::HealthState::Failing;
    out.health.since = clock_.now();
    return out;
  }
  std::vector<model::Endpoint> endpoints(const std::string& node) {
    std::vector<model::Endpoint> out;
    for (int i = below(6); i > 0; --i) out.push_back(endpoint(node));
    return out;
  }

  void change_mesh() {
    catalog::Catalog& mesh = federation_.catalog;
    const std::string name = node();
    const std::string key = "eu-1/" + name;
    const TimePoint now = clock_.now();
    const std::string object = "d" + std::to_string(below(4));
    switch (below(12)) {
      case 0: mesh.put_node(catalog::node(name), now); break;
      case 1: mesh.apply_full(key, endpoints(name), {"files"}, now); break;
      case 2: mesh.withdraw(key, now); break;
      case 3: mesh.set_status(key, {below(2) == 0, below(2) == 0, now}, now); break;
      case 4: federation_.put_destination(object, 80 + static_cast<std::uint32_t>(below(3))); break;
      case 5: federation_.erase_destination(object); break;
      case 6: federation_.put_cluster(object, "r" + std::to_string(below(3))); break;
      case 7: federation_.erase_cluster(object); break;
      case 8: mesh.forget(5s, now); break;
      default: mesh.apply_delta(key, endpoints(name), {key + "/" + std::to_string(below(12))}, now); break;
    }
  }
  void carry_some() {
    for (const auto& link : links_) {
      for (int i = below(3); link && i > 0; --i) link->carry_one();
    }
  }
  void connect(std::size_t i) {
    links_[i].reset();
    links_[i] = std::make_unique<Link>(federation_, *subscribers_[i]);
  }
  void toggle_link() {
    const auto i = static_cast<std::size_t>(below(static_cast<int>(links_.size())));
    if (links_[i]) {
      links_[i].reset();
    } else {
      connect(i);
    }
  }
  /// An agent has told all that it has.
  void sync() {
    const std::string key = "eu-1/" + node();
    if (recovery_ && recovery_->synced(key, clock_.now())) federation_.watchers().confirmed(key);
    federation_.watchers().changed();
  }
  /// A federation that has kept everything, some of it, or nothing but the objects; and counts anew or goes on.
  void restart() {
    for (auto& link : links_) link.reset();
    if (below(2) == 0) {
      const model::Records before = federation_.catalog.records();
      federation_.catalog = Federation::empty_catalog();
      for (const auto& [key, record] : before.destinations) federation_.catalog.mirror(record);
      for (const auto& [key, record] : before.clusters) federation_.catalog.mirror(record);
      const int kept = below(3);
      for (const auto& [key, record] : before.endpoints) {
        if (kept == 2 || (kept == 1 && below(2) == 0)) federation_.catalog.mirror(record);
      }
      for (const auto& [key, service] : federation_.catalog.records().services) federation_.catalog.mirror(key);
      federation_.catalog.mirrored(1 + static_cast<std::uint64_t>(below(100)), clock_.now());
    }
    const std::string instance = below(5) == 0 ? "b" : "a";
    recovery_.reset();
    if (below(3) > 0) {
      recovery_.emplace(static_cast<Recovery::Store>(below(3)), clock_.now());
      for (int i = 0; i < 4; ++i) recovery_->restored("eu-1/n" + std::to_string(i));
    }
    federation_.begin(++epoch_, instance, recovery_ ? &*recovery_ : nullptr);
  }

  std::mt19937 random_;
  SimClock clock_;
  std::uint64_t epoch_ = 1;
  std::optional<Recovery> recovery_;
  Federation federation_{clock_};
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::vector<std::unique_ptr<Link>> links_;
};

TEST(WatchProperty, subscribers_end_up_holding_what_the_federation_holds) {
  const char* given = std::getenv("MESHDNS_SEED");
  const auto first = given == nullptr ? 1U : static_cast<std::uint32_t>(std::atoi(given));
  for (std::uint32_t seed = first; seed < first + 60; ++seed) {
    SCOPED_TRACE("MESHDNS_SEED=" + std::to_string(seed));
    World world(seed);
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 60; ++i) world.step();
      world.settle();
      world.expect_equality();
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace meshdns::federation
