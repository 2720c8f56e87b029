#include "dnsd/federation/mirror.h"

#include "common/convert/record_convert.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

v1::Batch batch(v1::Batch::Kind kind, std::uint64_t from, std::uint64_t to) {
  v1::Batch out;
  out.mutable_origin()->set_cluster("eu-1");
  out.mutable_origin()->set_instance("a");
  out.set_epoch(5);
  out.set_from(from);
  out.set_to(to);
  out.set_kind(kind);
  out.set_last(true);
  return out;
}
v1::Batch snapshot(std::uint64_t to) { return batch(v1::Batch::SNAPSHOT, 0, to); }
v1::Batch delta(std::uint64_t from, std::uint64_t to) { return batch(v1::Batch::DELTA, from, to); }

void add(v1::Batch& batch, const std::string& type, const std::string& key, const std::string& body) {
  v1::Record& record = *batch.add_records();
  record.set_type(type);
  record.set_key(key);
  record.set_body(body);
  record.mutable_in_state()->set_seconds(60);
}
void add_endpoint(v1::Batch& batch, const std::string& key, std::uint32_t weight = 1) {
  auto endpoint = catalog::endpoint("eu-1/n1", key);
  endpoint.weight = weight;
  add(batch, "Endpoint", endpoint.key, convert::endpoint_body(endpoint));
}
void add_removal(v1::Batch& batch, const std::string& key) {
  batch.add_removals()->set_type("Endpoint");
  batch.mutable_removals()->rbegin()->set_key("eu-1/n1/" + key);
}
v1::Batch snapshot_of(int count, std::uint64_t to = 1) {
  v1::Batch out = snapshot(to);
  for (int i = 0; i < count; ++i) add_endpoint(out, std::to_string(i));
  return out;
}

class MirrorTest : public testing::Test {
 protected:
  Mirror& mirror() { return subscriber_.mirror; }
  /// "taken", "taken but <key>: <reason>", or the error
  std::string apply(const v1::Batch& batch) {
    const auto nacks = mirror().apply(batch, clock_.now());
    if (!nacks) return nacks.error().message();
    std::string out = "taken";
    for (const v1::Nack& nack : *nacks) out += " but " + nack.key() + ": " + nack.reason();
    return out;
  }
  std::vector<std::string> keys() const { return subscriber_.keys(); }

  SimClock clock_;
  Subscriber subscriber_{clock_};
};

TEST_F(MirrorTest, a_snapshot_replaces_what_is_held) {
  EXPECT_TRUE(mirror().empty());
  EXPECT_EQ(apply(snapshot_of(3, 7)), "taken");
  EXPECT_FALSE(mirror().empty());
  EXPECT_EQ(apply(snapshot_of(2, 9)), "taken");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/0", "eu-1/n1/1"));
  EXPECT_EQ(mirror().revision(), 9U);
  EXPECT_EQ(subscriber_.catalog.revision(), 9U);
}

TEST_F(MirrorTest, a_delta_changes_only_what_it_names) {
  apply(snapshot_of(3, 7));
  v1::Batch next = delta(7, 8);
  add_endpoint(next, "1", 9);
  add_removal(next, "2");
  add_removal(next, "never held");
  EXPECT_EQ(apply(next), "taken");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/0", "eu-1/n1/1"));
  EXPECT_EQ(subscriber_.catalog.records().endpoints.at("eu-1/n1/1").weight, 9U);
  EXPECT_EQ(subscriber_.catalog.records().endpoints.at("eu-1/n1/1").health.since, clock_.now() - 60s);
}

TEST_F(MirrorTest, a_delta_that_does_not_follow_changes_nothing) {
  apply(snapshot_of(3, 7));
  const auto refused = [&](v1::Batch next) {
    add_removal(next, "0");
    EXPECT_THAT(apply(next), HasSubstr("does not follow on 7"));
    EXPECT_THAT(keys(), SizeIs(3));
  };
  refused(delta(8, 9));
  refused(delta(4, 6));
  v1::Batch older = delta(7, 8);
  older.set_epoch(4);
  refused(older);
  v1::Batch newer = delta(7, 8);
  newer.set_epoch(6);
  refused(newer);
  v1::Batch other = delta(7, 8);
  other.mutable_origin()->set_instance("b");
  refused(other);
  EXPECT_EQ(apply(delta(5, 8)), "taken") << "it begins before what is held, and ends behind it";
}

TEST_F(MirrorTest, parts_count_when_the_last_one_is_here) {
  v1::Batch first = snapshot_of(2);
  first.set_last(false);
  v1::Batch second = snapshot(1);
  second.set_part(1);
  add_endpoint(second, "2");
  EXPECT_EQ(apply(first), "taken");
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_EQ(apply(second), "taken");
  EXPECT_THAT(keys(), SizeIs(3));
  EXPECT_THAT(apply(second), HasSubstr("without its first part"));
}

TEST_F(MirrorTest, a_new_first_part_drops_what_was_cut_off) {
  v1::Batch cut = snapshot_of(3);
  cut.set_last(false);
  apply(cut);
  EXPECT_EQ(apply(snapshot_of(1)), "taken");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/0"));
}

TEST_F(MirrorTest, buckets_replace_only_what_is_in_them) {
  apply(snapshot_of(10, 7));
  const std::uint32_t bucket = convert::bucket_of("Endpoint", "eu-1/n1/3", Feed::kBuckets);
  v1::Batch buckets = batch(v1::Batch::BUCKETS, 0, 2);
  buckets.set_epoch(6);
  buckets.add_buckets(bucket);
  EXPECT_EQ(apply(buckets), "taken");
  EXPECT_THAT(keys(), testing::Not(testing::Contains("eu-1/n1/3")));
  EXPECT_THAT(keys(), testing::Contains("eu-1/n1/4"));
  EXPECT_EQ(mirror().epoch(), 6U);
  EXPECT_EQ(mirror().revision(), 2U);
}

// Guards the count of a service's endpoints, which went below zero: the service stayed for ever.
TEST_F(MirrorTest, a_set_moves_an_endpoint_out_of_a_service_that_goes) {
  const auto set = [](const std::string& service, std::uint64_t revision) {
    v1::Batch out = snapshot(revision);
    auto endpoint = catalog::endpoint();
    endpoint.service = service;
    add(out, "Endpoint", endpoint.key, convert::endpoint_body(endpoint));
    add(out, "Service", "shop/" + service, convert::service_body({"shop", service}));
    return out;
  };
  apply(set("web", 1));
  apply(set("api", 2));
  const auto& services = subscriber_.catalog.records().services;
  EXPECT_THAT(services, SizeIs(1));
  EXPECT_EQ(services.at({"shop", "api"}).endpoints, 1U);
}

// ---- records that cannot be read ----

TEST_F(MirrorTest, the_last_good_version_of_a_record_stays) {
  apply(snapshot_of(2, 7));
  v1::Batch next = delta(7, 8);
  add(next, "Endpoint", "eu-1/n1/0", "\xff\xff");
  add_endpoint(next, "1", 9);
  EXPECT_EQ(apply(next), "taken but eu-1/n1/0: body: not a Endpoint");
  EXPECT_THAT(keys(), SizeIs(2));
  EXPECT_EQ(subscriber_.catalog.records().endpoints.at("eu-1/n1/1").weight, 9U);
  v1::Batch whole = snapshot(9);
  add(whole, "Endpoint", "eu-1/n1/0", "\xff\xff");
  EXPECT_EQ(apply(whole), "taken but eu-1/n1/0: body: not a Endpoint");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/0"));
}

// Guards against a refused record that is never asked for again: its bucket differs until it is good.
TEST_F(MirrorTest, a_refused_record_shows_in_the_hashes) {
  apply(snapshot_of(1, 7));
  const auto before = mirror().position(true).buckets();
  v1::Batch next = delta(7, 8);
  add(next, "Endpoint", "eu-1/n1/0", "\xff\xff");
  apply(next);
  EXPECT_TRUE(std::ranges::equal(mirror().position(true).buckets(), before));
}

TEST_F(MirrorTest, kinds_of_newer_federations_are_passed_over) {
  v1::Batch whole = snapshot_of(1);
  add(whole, "Tariff", "x", "\xff\xff");
  whole.add_removals()->set_type("Tariff");
  EXPECT_EQ(apply(whole), "taken");
  EXPECT_THAT(mirror().snapshot(clock_.now()).records(), SizeIs(1));
}

TEST_F(MirrorTest, objects_are_told_when_they_come_and_go) {
  Federation federation(clock_);
  federation.put_destination("web", 80);
  federation.feed().update();
  EXPECT_EQ(apply(reply_of(federation.feed().snapshot(clock_.now()), clock_.now()).batch()), "taken");
  ASSERT_TRUE(subscriber_.objects.contains("VirtualDestination/shop/web"));
  EXPECT_TRUE(subscriber_.catalog.records().destinations.contains("shop/web"));
  v1::Batch bad = reply_of(federation.feed().snapshot(clock_.now()), clock_.now()).batch();
  v1::Object object;
  object.mutable_virtual_destination()->mutable_policy()->add_ladder("nonsense");
  bad.mutable_records(0)->set_body(convert::object_body(object));
  EXPECT_THAT(apply(bad), HasSubstr("taken but shop/web"));
  EXPECT_TRUE(subscriber_.objects.contains("VirtualDestination/shop/web"));
  apply(snapshot(9));
  EXPECT_THAT(subscriber_.objects, IsEmpty());
  EXPECT_THAT(subscriber_.catalog.records().destinations, IsEmpty());
}

// ---- the guard (failures.md A5) ----

TEST_F(MirrorTest, a_set_that_takes_away_more_than_half_is_refused) {
  apply(snapshot_of(20, 7));
  EXPECT_EQ(apply(snapshot_of(9, 8)), "11 of 20 endpoints would go");
  EXPECT_EQ(mirror().shrink_refused(), "11 of 20 endpoints would go");
  EXPECT_THAT(keys(), SizeIs(20));
  EXPECT_EQ(mirror().revision(), 7U);
  v1::Batch buckets = batch(v1::Batch::BUCKETS, 0, 8);
  for (std::uint32_t i = 0; i < Feed::kBuckets; ++i) buckets.add_buckets(i);
  EXPECT_EQ(apply(buckets), "20 of 20 endpoints would go");
  EXPECT_EQ(apply(snapshot_of(10, 9)), "taken") << "half is not more than half";
  EXPECT_EQ(mirror().shrink_refused(), "");
}

TEST_F(MirrorTest, a_small_set_is_not_guarded) {
  apply(snapshot_of(19));
  EXPECT_EQ(apply(snapshot(2)), "taken");
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(MirrorTest, removals_by_their_owner_pass_the_guard) {
  apply(snapshot_of(20, 7));
  v1::Batch next = delta(7, 8);
  for (int i = 0; i < 20; ++i) add_removal(next, std::to_string(i));
  EXPECT_EQ(apply(next), "taken");
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(MirrorTest, an_approval_or_the_origins_word_passes_the_guard_once) {
  apply(snapshot_of(40, 1));
  apply(snapshot(2));
  mirror().approve_shrink();
  EXPECT_EQ(apply(snapshot_of(5, 3)), "taken");
  EXPECT_EQ(apply(snapshot_of(40, 4)), "taken");
  EXPECT_EQ(apply(snapshot_of(5, 5)), "35 of 40 endpoints would go") << "the approval was for one set";
  v1::Batch meant = snapshot_of(5, 5);
  meant.set_authoritative_shrink(true);
  EXPECT_EQ(apply(meant), "taken");
}

// ---- what is kept over restarts ----

TEST_F(MirrorTest, a_snapshot_of_its_own_restores_it) {
  Federation federation(clock_);
  federation.catalog.put_node(catalog::node(), clock_.now());
  federation.catalog.set_status("eu-1/n1", {true, false, clock_.now() - 5s}, clock_.now());
  federation.report(3);
  federation.put_destination("web", 80);
  federation.feed().update();
  apply(reply_of(federation.feed().snapshot(clock_.now()), clock_.now()).batch());
  clock_.advance(10s);
  const v1::Batch kept = mirror().snapshot(clock_.now());
  Subscriber restarted(clock_);
  clock_.advance(1h);
  ASSERT_TRUE(restarted.mirror.apply(kept, clock_.now() - 1h));
  expect_follows(federation, restarted);
  EXPECT_EQ(restarted.objects, subscriber_.objects);
  EXPECT_EQ(restarted.catalog.records().statuses, federation.catalog.records().statuses) << "since when, too";
}

TEST_F(MirrorTest, the_number_may_go_back_with_a_new_epoch) {
  apply(snapshot_of(3, 50));
  const auto seen = subscriber_.catalog.changed();
  clock_.advance(1s);
  v1::Batch anew = snapshot_of(2, 50);
  anew.set_epoch(6);
  EXPECT_EQ(apply(anew), "taken");
  EXPECT_EQ(subscriber_.catalog.revision(), 50U);
  EXPECT_NE(subscriber_.catalog.changed(), seen) << "how a publisher tells the two apart";
}

}  // namespace
}  // namespace meshdns::federation
