// After a restart an agent whose records were all restored as it has them need not send them again.
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

class RestoredTest : public FederationTest {
 protected:
  /// Stores what is known of n1's endpoints, and restores it in a new federation.
  void restart() {
    std::vector<std::pair<model::Endpoint, std::uint64_t>> rows;
    for (const auto& [key, endpoint] : catalog_.records().endpoints)
      rows.emplace_back(endpoint, agents_.digest_of(endpoint));
    for (const auto& [endpoint, digest] : rows) {
      catalog_after_.put_node(catalog_.records().nodes.at(endpoint.node), clock_.now());
      catalog_after_.mirror(endpoint);
      after_.restored(endpoint, digest);
    }
    catalog_after_.mirrored(catalog_after_.revision() + 1, clock_.now());
  }
  /// Whether the agent is asked for everything when it comes back with these records.
  bool asked_for_full(const std::vector<Sample>& samples) {
    FakeAgent back(after_);
    back.hello({}, digest_of(samples));
    return back.heard().welcome().want_full();
  }

  const std::vector<Sample> both_{{.key = "a"}, {.key = "b"}};
  std::vector<std::string> synced_;
  catalog::Catalog catalog_after_;
  Agents after_{
      {catalog_after_, clock_, clock_, "eu-1/a", [] {}, [this](const std::string& node) { synced_.push_back(node); }}};
};

TEST_F(RestoredTest, an_agent_that_has_what_was_restored_sends_nothing) {
  FakeAgent agent(agents_);
  agent.hello();
  agent.full({encoded(both_[0]), encoded(both_[1])});
  restart();
  EXPECT_FALSE(asked_for_full(both_));
  // its records are not provisional any more
  EXPECT_THAT(synced_, testing::ElementsAre("eu-1/n1"));
}

TEST_F(RestoredTest, an_agent_that_has_something_else_sends_everything) {
  FakeAgent agent(agents_);
  agent.hello();
  agent.full({encoded(both_[0]), encoded(both_[1])});
  restart();
  EXPECT_TRUE(asked_for_full({both_[0], {.key = "b", .state = model::HealthState::Failing}}));
  EXPECT_TRUE(asked_for_full({both_[0]}));
  EXPECT_THAT(synced_, testing::IsEmpty());
}

TEST_F(RestoredTest, what_was_not_stored_whole_is_sent_again) {
  FakeAgent agent(agents_);
  agent.hello();
  agent.full({encoded(both_[0])});
  agent.full({encoded(both_[0])}, {0, false, {"files"}});  // the next part never came
  EXPECT_EQ(agents_.digest_of(catalog_.records().endpoints.begin()->second), 0U);
  restart();
  EXPECT_TRUE(asked_for_full({both_[0]}));
}

// Guards against a restart of a frozen federation that takes what it shows for what the agent has told it.
TEST_F(RestoredTest, what_a_freeze_holds_back_is_sent_again) {
  FakeAgent agent(agents_);
  agent.hello();
  agent.full({encoded(both_[0])});
  model::Override freeze;
  freeze.meta.name = "freeze";
  freeze.action = model::Action::Freeze;
  catalog_.put_override(freeze, clock_.now());
  const Sample failing{.key = "a", .state = model::HealthState::Failing};
  agent.delta({encoded(failing)});
  restart();
  EXPECT_TRUE(asked_for_full({failing}));
}

// An agent that says the same again, in other bytes: the row has to follow, though the catalog does not change.
TEST_F(RestoredTest, every_record_that_is_sent_is_told) {
  std::vector<std::string> told;
  Agents agents{{catalog_, clock_, clock_, "eu-1/a", [] {}, {}, [&](const std::string& key) { told.push_back(key); }}};
  FakeAgent agent(agents);
  agent.hello();
  agent.full({encoded(both_[0])});
  agent.delta({encoded(both_[0])});
  EXPECT_THAT(told, testing::ElementsAre("eu-1/n1/a", "eu-1/n1/a"));
}

}  // namespace
}  // namespace meshdns::federation
