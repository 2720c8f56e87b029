#include "dnsd/federation/mirror.h"

#include "common/model/limits.h"
#include "tests/unit/dnsd/federation/mirror_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Guards against a federation whose records crash or mislead a replica: each is refused by name, the others are taken.
TEST_P(MirrorTest, a_record_that_cannot_be_answered_is_refused) {
  v1::Batch set = snapshot_of(2);
  auto bad = catalog::endpoint("eu-1/n1", "none");
  bad.addresses.clear();
  add(set, "Endpoint", bad.key, convert::endpoint_body(bad));
  add_endpoint(set, "heavy", 1U << 30);
  add(set, "Node", "eu-1/n2", convert::node_body(catalog::node("n1")));
  add(set, "NodeStatus", "n1", convert::status_body({.silent = true}));
  add(set, "Service", "shop/api", convert::service_body({"shop", "web"}));
  add(set, "ExternalName", "web.example.net", convert::external_name_body({{IpAddress::v4(0x7F000001)}}));
  v1::Object object;
  object.set_api_version("meshdns.io/v1alpha1");
  object.set_kind("Cluster");
  object.mutable_metadata()->set_name("eu-1");
  object.mutable_cluster();
  add(set, "Cluster", "us-1", convert::object_body(object));
  (*object.mutable_metadata()->mutable_annotations())["note"] = std::string(model::kMostRecordBytes, 'x');
  add(set, "Cluster", "eu-1", convert::object_body(object));
  EXPECT_EQ(apply(set),
            "taken but eu-1/n1/none: addresses: at least one address is needed"
            " but eu-1/n1/heavy: weight: must be 0 to 65535"
            " but eu-1/n2: key: the body is of another record"
            " but n1: key: \"n1\" is no cluster/node"
            " but shop/api: key: the body is of another record"
            " but web.example.net: addresses: 127.0.0.1 is a loopback address: clients on other machines would ask"
            " themselves"
            " but us-1: key: the body is of another record"
            " but eu-1: body: " +
                std::to_string(convert::object_body(object).size()) + " bytes, more than a record may have");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/0", "eu-1/n1/1"));
  EXPECT_EQ(subscriber_.catalog.refused_records(), 4U);
  v1::Batch next = delta(1, 2);
  add_endpoint(next, "1", 1U << 30);
  EXPECT_EQ(apply(next), "taken but eu-1/n1/1: weight: must be 0 to 65535");
  EXPECT_EQ(subscriber_.catalog.records().endpoints.at("eu-1/n1/1").weight, 1U) << "the last good version stays";
}

INSTANTIATE_TEST_SUITE_P(Parts, MirrorTest, testing::Values(kOnePart, 1), part_size_name);

TEST_P(MirrorTest, a_snapshot_replaces_what_is_held) {
  EXPECT_TRUE(mirror().empty());
  EXPECT_EQ(apply(snapshot_of(3, 7)), "taken");
  EXPECT_FALSE(mirror().empty());
  EXPECT_EQ(apply(snapshot_of(2, 9)), "taken");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/0", "eu-1/n1/1"));
  EXPECT_EQ(mirror().revision(), 9U);
  EXPECT_EQ(subscriber_.catalog.revision(), 9U);
}

TEST_P(MirrorTest, a_delta_changes_only_what_it_names) {
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

TEST_P(MirrorTest, a_delta_that_does_not_follow_changes_nothing) {
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

TEST_P(MirrorTest, parts_count_when_the_last_one_is_here) {
  v1::Batch first = snapshot_of(2);
  first.set_last(false);
  v1::Batch second = snapshot(1);
  second.set_part(1);
  add_endpoint(second, "2");
  EXPECT_EQ(apply(first), "taken");
  EXPECT_TRUE(mirror().empty());
  EXPECT_EQ(subscriber_.catalog.revision(), 0U) << "nobody is told";
  EXPECT_EQ(apply(second), "taken");
  EXPECT_THAT(keys(), SizeIs(3));
  EXPECT_THAT(apply(second), HasSubstr("without its first part"));
}

TEST_P(MirrorTest, a_new_first_part_drops_what_was_cut_off) {
  v1::Batch cut = snapshot_of(3);
  cut.set_last(false);
  apply(cut);
  EXPECT_EQ(apply(snapshot_of(1)), "taken");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/0"));
}

TEST_P(MirrorTest, buckets_replace_only_what_is_in_them) {
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
TEST_P(MirrorTest, a_set_moves_an_endpoint_out_of_a_service_that_goes) {
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

TEST_P(MirrorTest, the_last_good_version_of_a_record_stays) {
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
TEST_P(MirrorTest, a_refused_record_shows_in_the_hashes) {
  apply(snapshot_of(1, 7));
  const auto before = mirror().position(true).buckets();
  v1::Batch next = delta(7, 8);
  add(next, "Endpoint", "eu-1/n1/0", "\xff\xff");
  apply(next);
  EXPECT_TRUE(std::ranges::equal(mirror().position(true).buckets(), before));
}

TEST_P(MirrorTest, kinds_of_newer_federations_are_passed_over) {
  v1::Batch whole = snapshot_of(1);
  add(whole, "Tariff", "x", "\xff\xff");
  whole.add_removals()->set_type("Tariff");
  EXPECT_EQ(apply(whole), "taken");
  EXPECT_THAT(kept_of(mirror(), clock_.now()).records(), SizeIs(1));
}

TEST_P(MirrorTest, objects_are_told_when_they_come_and_go) {
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

// ---- the guard (docs/failures.md A5) ----

TEST_P(MirrorTest, a_set_that_takes_away_more_than_half_is_refused) {
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

TEST_P(MirrorTest, a_small_set_is_not_guarded) {
  apply(snapshot_of(19));
  EXPECT_EQ(apply(snapshot(2)), "taken");
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_P(MirrorTest, removals_by_their_owner_pass_the_guard) {
  apply(snapshot_of(20, 7));
  v1::Batch next = delta(7, 8);
  for (int i = 0; i < 20; ++i) add_removal(next, std::to_string(i));
  EXPECT_EQ(apply(next), "taken");
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_P(MirrorTest, an_approval_or_the_origins_word_passes_the_guard_once) {
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

// The operator's approval was lost when a change came before the set that it was given for.
TEST_P(MirrorTest, an_approval_is_for_the_next_set_and_not_for_a_delta) {
  apply(snapshot_of(40, 1));
  mirror().approve_shrink();
  EXPECT_EQ(apply(delta(1, 2)), "taken");
  EXPECT_EQ(apply(snapshot_of(5, 3)), "taken");
}

TEST_P(MirrorTest, the_number_may_go_back_with_a_new_epoch) {
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
