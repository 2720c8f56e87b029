// What a federation says after a start, while its agents have not told it everything yet.
#include "dnsd/federation/recovery.h"

#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using Store = Recovery::Store;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr TimePoint kStart{1h};

TEST(Recovery, a_kept_store_is_settled_after_the_grace) {
  Recovery recovery(Store::Kept, kStart);
  recovery.restored("n1");
  recovery.restored("n2");
  EXPECT_TRUE(recovery.synced("n1", kStart + 50s));
  EXPECT_FALSE(recovery.synced("n1", kStart + 51s)) << "it is confirmed already";
  EXPECT_FALSE(recovery.is_provisional("n1"));
  recovery.look(kStart + 59s);
  EXPECT_FALSE(recovery.settled());
  EXPECT_TRUE(recovery.is_provisional("n2"));
  recovery.look(kStart + 60s);
  EXPECT_TRUE(recovery.settled()) << "agents that come do not put it off";
  EXPECT_FALSE(recovery.is_provisional("n2"));
  EXPECT_FALSE(recovery.recovering());
}

TEST(Recovery, a_lost_store_recovers_until_a_minute_has_passed_without_a_new_agent) {
  Recovery recovery(Store::Lost, kStart);
  EXPECT_TRUE(recovery.recovering());
  recovery.synced("n1", kStart + 10s);
  recovery.synced("n2", kStart + 50s);
  recovery.synced("n1", kStart + 100s);  // it is known
  recovery.look(kStart + 109s);
  EXPECT_TRUE(recovery.recovering());
  recovery.look(kStart + 110s);
  EXPECT_FALSE(recovery.recovering());
  EXPECT_TRUE(recovery.settled());
}

// Guards a federation that no agent can reach: it knows nothing, and silence is not death.
TEST(Recovery, without_any_agent_only_an_operator_ends_it) {
  Recovery recovery(Store::Lost, kStart);
  recovery.look(kStart + 24h);
  EXPECT_TRUE(recovery.recovering());
  recovery.approve();
  EXPECT_FALSE(recovery.recovering());
  EXPECT_TRUE(recovery.settled());
}

// New agents, real or made up, put the end of a recovery off: but not for ever.
TEST(Recovery, ends_at_the_latest_though_new_agents_go_on_coming) {
  Recovery recovery(Store::Lost, kStart);
  TimePoint now = kStart;
  for (int agent = 0; now < kStart + Recovery::kLongest - 1s; now += 30s) {
    recovery.synced("n" + std::to_string(agent++), now);
    recovery.look(now);
    ASSERT_TRUE(recovery.recovering());
  }
  recovery.synced("last", kStart + Recovery::kLongest);
  recovery.look(kStart + Recovery::kLongest);
  EXPECT_FALSE(recovery.recovering());
}

// The first agent ended the recovery at once when it came after 10 minutes, and all others were taken for gone.
TEST(Recovery, the_wait_for_the_first_agent_is_not_counted) {
  Recovery recovery(Store::Lost, kStart);
  TimePoint now = kStart + 2 * Recovery::kLongest;
  recovery.look(now);
  ASSERT_TRUE(recovery.recovering());
  recovery.synced("n1", now);
  recovery.look(now);
  EXPECT_TRUE(recovery.recovering());
  now += 30s;
  recovery.synced("n2", now);
  recovery.look(now + Recovery::kQuiet - 1s);
  EXPECT_TRUE(recovery.recovering());
  recovery.look(now + Recovery::kQuiet);
  EXPECT_FALSE(recovery.recovering());
}

// One Subscribe put a federation that has no agents at all into recovery for ever.
TEST(Recovery, what_only_a_subscriber_says_ends_without_any_agent) {
  Recovery recovery(Store::New, kStart);
  recovery.earlier_records_seen(kStart + 5s);
  EXPECT_TRUE(recovery.recovering());
  EXPECT_TRUE(recovery.claimed());
  recovery.look(kStart + 5s + Recovery::kLongest - 1s);
  EXPECT_TRUE(recovery.recovering());
  recovery.look(kStart + 5s + Recovery::kLongest);
  EXPECT_FALSE(recovery.recovering());
  recovery.earlier_records_seen(kStart + 6s + Recovery::kLongest);
  EXPECT_FALSE(recovery.recovering()) << "it is not begun again";
}

TEST(Recovery, a_claim_is_too_late_though_new_agents_go_on_coming) {
  Recovery recovery(Store::New, kStart);
  for (int agent = 0; agent < 30; ++agent) recovery.synced("n" + std::to_string(agent), kStart + agent * 30s);
  recovery.earlier_records_seen(kStart + 15min);
  EXPECT_FALSE(recovery.recovering());
}

TEST(Recovery, a_seed_that_names_no_nodes_waits_for_no_agent) {
  Recovery recovery(Store::Lost, kStart, {.claimed = false, .seeded = true});
  recovery.look(kStart + 59s);
  EXPECT_TRUE(recovery.recovering());
  recovery.look(kStart + 60s);
  EXPECT_FALSE(recovery.recovering());
  Recovery with_nodes(Store::Lost, kStart, {.claimed = false, .seeded = true});
  with_nodes.restored("n1");
  with_nodes.look(kStart + 24h);
  EXPECT_TRUE(with_nodes.recovering()) << "silence is not death";
}

TEST(Recovery, a_new_store_is_a_lost_one_if_a_subscriber_knows_more) {
  Recovery recovery(Store::New, kStart);
  EXPECT_TRUE(recovery.settled());
  recovery.synced("n1", kStart + 30s);
  recovery.earlier_records_seen(kStart + 89s);
  EXPECT_TRUE(recovery.recovering());
  EXPECT_FALSE(recovery.settled());
}

TEST(Recovery, who_has_run_for_long_has_lost_nothing) {
  Recovery recovery(Store::New, kStart);
  recovery.synced("n1", kStart + 30s);
  recovery.earlier_records_seen(kStart + 90s);
  EXPECT_FALSE(recovery.recovering());
  EXPECT_TRUE(recovery.settled());
}

class RecoveryStreamTest : public testing::Test {
 protected:
  Link& connect(Subscriber& subscriber) {
    return *links_.emplace_back(std::make_unique<Link>(federation_, subscriber));
  }
  Link& connect() { return connect(subscriber_); }
  /// The federation comes back with what `stored` has.
  void restart(Store store, model::Records stored) {
    links_.clear();
    federation_.catalog = Federation::empty_catalog();
    recovery_.emplace(store, clock_.now());
    for (const auto& [key, record] : stored.nodes) {
      federation_.catalog.mirror(record);
      recovery_->restored(key);
    }
    for (const auto& [key, record] : stored.endpoints) federation_.catalog.mirror(record);
    federation_.catalog.mirrored(1, clock_.now());
    federation_.begin(++epoch_, "a", &*recovery_);
  }
  void synced(const std::string& node) {
    if (recovery_->synced(node, clock_.now())) federation_.watchers().confirmed(node);
    federation_.watchers().changed();
  }
  void settle() {
    clock_.advance(1s);  // subscribers acknowledge meanwhile
    for (const auto& link : links_) link->carry_requests();
    clock_.advance(Recovery::kQuiet);
    recovery_->look(clock_.now());
    federation_.watchers().heartbeat();
  }
  void put(const std::string& key, model::HealthState state) {
    model::Endpoint endpoint = catalog::endpoint("eu-1/n1", key);
    endpoint.health.state = state;
    federation_.report({endpoint});
  }
  std::string state(const Subscriber& subscriber, const std::string& key) {
    const auto found = subscriber.catalog.records().endpoints.find("eu-1/n1/" + key);
    if (found == subscriber.catalog.records().endpoints.end()) return "absent";
    return std::string(model::health_state_name(found->second.health.state));
  }

  SimClock clock_;
  std::uint64_t epoch_ = 1;
  std::optional<Recovery> recovery_;
  Federation federation_{clock_};
  Subscriber subscriber_{clock_};
  std::vector<std::unique_ptr<Link>> links_;
};

// Guards a subscriber's newer word against a store that is written lazily.
TEST_F(RecoveryStreamTest, what_is_stored_goes_only_to_who_lacks_it) {
  federation_.catalog.put_node(catalog::node(), clock_.now());
  put("a", model::HealthState::Serving);
  put("b", model::HealthState::Serving);
  model::Records stored = federation_.catalog.records();
  put("a", model::HealthState::Failing);
  put("c", model::HealthState::Serving);
  federation_.withdraw({"eu-1/n1/b"});
  connect().carry();
  restart(Store::Kept, stored);
  connect().carry();
  EXPECT_EQ(state(subscriber_, "a"), "failing") << "it has the newer one";
  EXPECT_EQ(state(subscriber_, "b"), "serving") << "it lacks it";
  EXPECT_EQ(state(subscriber_, "c"), "serving") << "the store lacks it";
  Subscriber fresh{clock_};
  connect(fresh).carry();
  EXPECT_EQ(state(fresh, "a"), "serving");
  links_.clear();  // before the subscriber
}

TEST_F(RecoveryStreamTest, what_the_owner_confirms_goes_to_who_holds_it_otherwise) {
  federation_.catalog.put_node(catalog::node(), clock_.now());
  put("a", model::HealthState::Serving);
  put("b", model::HealthState::Serving);
  const model::Records stored = federation_.catalog.records();
  put("a", model::HealthState::Failing);
  federation_.catalog.set_status("eu-1/n1", {true, true, clock_.now()}, clock_.now());
  connect().carry();
  restart(Store::Kept, stored);
  Link& link = connect();
  link.carry();
  EXPECT_THAT(subscriber_.catalog.records().statuses, SizeIs(1)) << "nobody has heard the node yet";
  synced("eu-1/n1");  // nothing has changed for the federation
  link.carry();
  EXPECT_EQ(state(subscriber_, "a"), "serving");
  EXPECT_THAT(subscriber_.catalog.records().statuses, IsEmpty());
  EXPECT_THAT(keys_of(link.last_batch()), ElementsAre("eu-1/n1/a", "-eu-1/n1")) << "only what may differ";
}

TEST_F(RecoveryStreamTest, who_holds_the_same_is_told_nothing_more) {
  federation_.catalog.put_node(catalog::node(), clock_.now());
  federation_.report(50);
  connect().carry();
  restart(Store::Kept, federation_.catalog.records());
  Link& link = connect();
  link.carry();
  synced("eu-1/n1");
  link.carry();
  settle();
  link.carry();
  std::size_t records = 0;
  for (const auto& reply : link.heard) records += static_cast<std::size_t>(reply.batch().records_size());
  EXPECT_LE(records, 2U) << "services are counted anew";
  expect_follows(federation_, subscriber_);
}

TEST_F(RecoveryStreamTest, what_nobody_told_again_goes_when_it_is_settled) {
  federation_.catalog.put_node(catalog::node(), clock_.now());
  put("a", model::HealthState::Serving);
  const model::Records stored = federation_.catalog.records();
  put("b", model::HealthState::Serving);
  connect().carry();
  restart(Store::Kept, stored);
  Link& link = connect();
  link.carry();
  federation_.watchers().heartbeat();
  link.carry();
  EXPECT_EQ(link.said.size(), 2U) << "subscribed, acknowledged: nothing to compare yet";
  EXPECT_EQ(state(subscriber_, "b"), "serving");
  settle();
  link.carry();
  EXPECT_EQ(state(subscriber_, "b"), "absent");
  expect_follows(federation_, subscriber_);
}

TEST_F(RecoveryStreamTest, an_empty_federation_takes_nothing_away) {  // A5
  federation_.catalog.put_node(catalog::node(), clock_.now());
  federation_.report(3);
  connect().carry();
  restart(Store::New, {});
  Link& link = connect();
  link.carry();
  EXPECT_TRUE(recovery_->recovering()) << "the subscriber is the proof";
  EXPECT_TRUE(subscriber_.follower.origin_recovers());
  EXPECT_THAT(subscriber_.keys(), SizeIs(3));
  federation_.report({catalog::endpoint("eu-1/n2", "x"), catalog::endpoint("eu-1/n1", "0")});
  synced("eu-1/n2");
  link.carry();
  EXPECT_THAT(subscriber_.keys(), SizeIs(4));
  federation_.withdraw({"eu-1/n1/0"});
  federation_.watchers().changed();
  link.carry();
  EXPECT_THAT(subscriber_.keys(), ElementsAre("eu-1/n1/1", "eu-1/n1/2", "eu-1/n2/x")) << "the owner's word passes";
  settle();
  link.carry();
  EXPECT_FALSE(subscriber_.follower.origin_recovers());
  EXPECT_THAT(subscriber_.keys(), ElementsAre("eu-1/n2/x"));
  expect_follows(federation_, subscriber_);
}

/// What a stranger can say without knowing anything: an old epoch, and what it likes of buckets.
class ClaimTest : public RecoveryStreamTest {
 protected:
  void claim(const std::function<void(v1::Position&)>& more) {
    v1::WatchRequest request;
    v1::Position& held = *request.mutable_subscribe()->add_held();
    held.mutable_origin()->set_cluster("eu-1");
    held.mutable_origin()->set_instance("a");
    held.set_epoch(1);
    held.set_revision(1000);
    more(held);
    const auto session = federation_.watchers().open(std::make_shared<test::FakePort<EncodedReply>>(), "",
                                                     identity::Caller::everybody());
    session->received(request);
    federation_.watchers().closed(*session);
  }
};

TEST_F(ClaimTest, an_old_epoch_alone_proves_nothing) {
  restart(Store::New, {});
  federation_.report(3);
  claim([](v1::Position&) {});
  EXPECT_FALSE(recovery_->recovering()) << "no buckets";
  claim([](v1::Position& held) {
    for (std::uint32_t i = 0; i < Feed::kBuckets; ++i) held.add_buckets(0);
  });
  EXPECT_FALSE(recovery_->recovering()) << "it holds nothing";
  federation_.feed().update();
  claim([this](v1::Position& held) {
    for (const std::uint64_t hash : federation_.feed().bucket_hashes()) held.add_buckets(hash);
  });
  EXPECT_FALSE(recovery_->recovering()) << "it holds what is here";
  claim([this](v1::Position& held) {
    for (const std::uint64_t hash : federation_.feed().bucket_hashes()) held.add_buckets(hash);
    held.set_buckets(17, 4711);
  });
  EXPECT_TRUE(recovery_->recovering()) << "it has records that are not here";
}

// Guards the name of an endpoint that only the subscriber knows.
TEST_F(RecoveryStreamTest, a_service_stays_while_an_endpoint_of_it_is_held) {
  federation_.report(1);
  connect().carry();
  restart(Store::Kept, {});
  federation_.catalog.mirror(model::ServiceKey{"shop", "web"});
  federation_.catalog.mirrored(2, clock_.now());
  Link& link = connect();
  link.carry();
  federation_.catalog.unmirror(catalog::RecordType::Service, "shop/web");
  federation_.catalog.mirrored(3, clock_.now());
  federation_.watchers().changed();
  link.carry();
  EXPECT_THAT(subscriber_.catalog.records().services, SizeIs(1));
  settle();
  link.carry();
  EXPECT_THAT(subscriber_.catalog.records().services, IsEmpty());
  expect_follows(federation_, subscriber_);
}

TEST_F(RecoveryStreamTest, the_guard_holds_when_the_recovery_is_over) {
  federation_.report(40);
  connect().carry();
  restart(Store::Lost, {});
  Link& link = connect();
  link.carry();
  EXPECT_EQ(subscriber_.mirror.shrink_refused(), "");
  federation_.report(5);
  synced("eu-1/n1");
  link.carry();
  settle();
  link.carry();
  EXPECT_EQ(subscriber_.mirror.shrink_refused(), "35 of 40 endpoints would go");
  EXPECT_THAT(subscriber_.keys(), SizeIs(40));
}

TEST_F(RecoveryStreamTest, a_recovering_federation_says_so_before_it_says_what_it_knows) {
  restart(Store::Lost, {});
  Link& link = connect();
  link.carry();
  EXPECT_THAT(link.story(), ElementsAre("status", "buckets 0"));
  EXPECT_TRUE(subscriber_.mirror.additive());
}

// Guards a subscriber that is restarted before the federation has settled.
TEST_F(RecoveryStreamTest, an_additive_set_is_compared_even_from_a_file) {
  federation_.report(3);
  connect().carry();
  restart(Store::Lost, {});
  connect().carry();
  Subscriber again{clock_};
  ASSERT_TRUE(again.mirror.apply(kept_of(subscriber_.mirror, clock_.now()), clock_.now()));
  links_.clear();
  recovery_->approve();
  connect(again).carry();
  EXPECT_THAT(again.keys(), IsEmpty());
  expect_follows(federation_, again);
  links_.clear();  // before the subscriber
}

}  // namespace
}  // namespace meshdns::federation
