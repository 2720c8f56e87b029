#include "dnsd/catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/model/limits.h"
#include "tests/unit/dnsd/catalog/sample.h"

namespace meshdns::catalog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using enum model::HealthState;

class CatalogTest : public testing::Test {
 protected:
  void put(const model::Endpoint& entry) {
    EXPECT_THAT(catalog_.apply_delta(entry.node, {entry}, {}, now_), IsEmpty());
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> out;
    for (const auto& [key, entry] : catalog_.records().endpoints) out.push_back(key);
    return out;
  }
  /// What happened since, as "+Endpoint key".
  std::vector<std::string> changes(std::uint64_t since) const {
    std::vector<std::string> out;
    const auto told = catalog_.changes_since(since).value();
    for (const Change& change : told) {
      out.push_back((change.removed ? "-" : "+") + std::string(record_type_name(change.type)) + " " + change.key);
    }
    return out;
  }
  const model::Service& service() const { return catalog_.records().services.at({"shop", "web"}); }

  Catalog catalog_;
  TimePoint now_ = kNow;
};

TEST_F(CatalogTest, every_call_that_changes_something_is_one_revision) {
  EXPECT_EQ(catalog_.revision(), 0U);
  catalog_.put_node(node(), now_);
  catalog_.apply_full("eu-1/n1", {endpoint("eu-1/n1", "a"), endpoint("eu-1/n1", "b")}, {"files"}, now_);
  EXPECT_EQ(catalog_.revision(), 2U);
  EXPECT_THAT(changes(1), ElementsAre("+Service shop/web", "+Endpoint eu-1/n1/a", "+Endpoint eu-1/n1/b"));
  catalog_.apply_full("eu-1/n1", {endpoint("eu-1/n1", "b")}, {"files"}, now_ + 1s);
  EXPECT_THAT(changes(2), ElementsAre("-Endpoint eu-1/n1/a"));
  EXPECT_EQ(catalog_.changed(), now_ + 1s);
}

// Guards the publications: what says nothing new must not cause one.
TEST_F(CatalogTest, what_changes_nothing_is_no_revision) {
  catalog_.put_node(node(), now_);
  put(endpoint());
  const auto revision = catalog_.revision();
  model::Endpoint older = endpoint();
  older.health.since -= 10s;  // each report counts its age on its own clock
  put(older);
  put(endpoint());
  catalog_.put_node(node(), now_);
  catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n1/never_there"}, now_);
  catalog_.set_status("eu-1/n1", {}, now_);
  catalog_.withdraw("eu-1/n9", now_);
  catalog_.forget(1h, now_);
  EXPECT_FALSE(catalog_.erase_cluster("eu-1", now_));
  EXPECT_FALSE(catalog_.erase_destination("shop/web", now_));
  EXPECT_EQ(catalog_.revision(), revision);
}

TEST_F(CatalogTest, a_refused_record_keeps_its_last_good_version) {
  put(endpoint());
  model::Endpoint bad = endpoint();
  bad.weight = 70000;
  EXPECT_THAT(catalog_.apply_delta("eu-1/n1", {bad}, {}, now_), SizeIs(1));
  EXPECT_THAT(catalog_.apply_full("eu-1/n1", {bad}, {"files"}, now_), SizeIs(1));
  EXPECT_EQ(catalog_.records().endpoints.at("eu-1/n1/a").weight, 1U);
}

TEST_F(CatalogTest, a_node_whose_name_begins_like_another_is_another) {
  put(endpoint("eu-1/n1"));
  put(endpoint("eu-1/n10"));
  put(endpoint("eu-1/n1-b"));
  catalog_.apply_full("eu-1/n1", {}, {"files"}, now_);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1-b/a", "eu-1/n10/a"));
  catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n10/a"}, now_);
  EXPECT_THAT(keys(), SizeIs(2));
}

TEST_F(CatalogTest, withdrawal_takes_the_node_and_its_status_with_it) {
  catalog_.put_node(node(), now_);
  put(endpoint());
  catalog_.set_status("eu-1/n1", {true, true, now_}, now_);
  const auto revision = catalog_.revision();
  catalog_.withdraw("eu-1/n1", now_);
  EXPECT_THAT(changes(revision), ElementsAre("-Endpoint eu-1/n1/a", "-NodeStatus eu-1/n1", "-Node eu-1/n1"));
}

TEST_F(CatalogTest, a_service_outlives_its_endpoints_until_it_is_forgotten) {
  put(endpoint());
  now_ += 10s;
  catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n1/a"}, now_);
  EXPECT_EQ(service(), (model::Service{.gone_since = now_, .exported_until = now_}));
  catalog_.forget(1h, now_ + 1h - 1ns);
  EXPECT_EQ(service().endpoints, 0U);
  catalog_.forget(1h, now_ + 1h);
  EXPECT_THAT(catalog_.records().services, IsEmpty());
}

TEST_F(CatalogTest, an_endpoint_may_move_to_another_service) {
  put(endpoint());
  model::Endpoint moved = endpoint();
  moved.service = "api";
  put(moved);
  EXPECT_EQ(service().endpoints, 0U);
  EXPECT_EQ(catalog_.records().services.at({"shop", "api"}).endpoints, 1U);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
}

TEST_F(CatalogTest, a_silent_node_is_forgotten_but_not_the_last_endpoint_of_a_service) {
  for (const char* name : {"n1", "n2"}) {
    catalog_.put_node(node(name), now_);
    put(endpoint("eu-1/" + std::string(name)));
    catalog_.set_status("eu-1/" + std::string(name), {true, true, now_}, now_);
  }
  catalog_.forget(1h, now_ + 1h - 1ns);
  EXPECT_THAT(keys(), SizeIs(2));
  catalog_.forget(1h, now_ + 1h);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n2/a"));
  EXPECT_FALSE(catalog_.records().nodes.contains("eu-1/n1"));
  EXPECT_TRUE(catalog_.records().nodes.contains("eu-1/n2"));
  EXPECT_TRUE(catalog_.records().statuses.contains("eu-1/n2"));
}

TEST_F(CatalogTest, who_may_not_be_forgotten_stays) {
  for (const char* name : {"n1", "n2", "n3"}) {
    catalog_.put_node(node(name), now_);
    if (name != std::string("n3")) put(endpoint("eu-1/" + std::string(name)));
    catalog_.set_status("eu-1/" + std::string(name), {true, true, now_}, now_);
  }
  std::vector<std::string> asked;
  catalog_.forget(1h, now_ + 1h, [&](const std::string& node, std::size_t endpoints) {
    asked.push_back(node + " " + std::to_string(endpoints));
    return node != "eu-1/n1";
  });
  EXPECT_THAT(asked, ElementsAre("eu-1/n1 1", "eu-1/n2 1", "eu-1/n3 0"));
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
  EXPECT_EQ(catalog_.endpoints_of("eu-1/n1"), 1U);
  asked.clear();
  catalog_.forget(1h, now_ + 1h, [&](const std::string& node, std::size_t) {
    asked.push_back(node);
    return true;
  });
  EXPECT_THAT(asked, IsEmpty()) << "the last endpoint of a service stays anyway";
}

TEST_F(CatalogTest, a_node_that_reports_again_is_silent_no_more) {
  catalog_.put_node(node(), now_);
  catalog_.set_status("eu-1/n1", {true, true, now_}, now_);
  const auto revision = catalog_.revision();
  catalog_.put_node(node(), now_);
  EXPECT_THAT(changes(revision), ElementsAre("-NodeStatus eu-1/n1"));
}

TEST_F(CatalogTest, changes_are_told_as_far_back_as_they_are_kept) {
  catalog_ = Catalog(10);
  EXPECT_THAT(catalog_.changes_since(0).value(), IsEmpty());
  EXPECT_EQ(catalog_.changes_since(1), std::nullopt);  // of a future that is another catalog's past
  for (std::uint32_t i = 0; i < 15; ++i) {
    model::Endpoint entry = endpoint();
    entry.weight = i % 2;
    put(entry);
  }
  EXPECT_EQ(catalog_.changes_since(0), std::nullopt);
  const auto last = catalog_.revision();
  EXPECT_THAT(changes(last - 1), ElementsAre("+Endpoint eu-1/n1/a"));
  EXPECT_THAT(catalog_.changes_since(last).value(), IsEmpty());
  EXPECT_EQ(catalog_.changes_since(last - 10).value().size(), 10U);
  EXPECT_EQ(catalog_.changes_since(last - 11), std::nullopt);
}

TEST_F(CatalogTest, a_revision_with_more_changes_than_the_log_takes_is_not_remembered) {
  catalog_ = Catalog(3);
  std::vector<model::Endpoint> many;
  for (int i = 0; i < 5; ++i) many.push_back(endpoint("eu-1/n1", std::to_string(i)));
  catalog_.apply_delta("eu-1/n1", many, {}, now_);
  EXPECT_EQ(catalog_.revision(), 1U);
  EXPECT_EQ(catalog_.changes_since(0), std::nullopt);
  EXPECT_THAT(catalog_.changes_since(1).value(), IsEmpty());
  put(endpoint("eu-1/n1", "9"));
  EXPECT_THAT(changes(1), ElementsAre("+Endpoint eu-1/n1/9"));
}

TEST_F(CatalogTest, generations_say_which_kinds_were_touched) {
  EXPECT_EQ(catalog_.generation_of(RecordType::Endpoint), 0U);
  put(endpoint());
  EXPECT_EQ(catalog_.generation_of(RecordType::Endpoint), 1U);
  EXPECT_EQ(catalog_.generation_of(RecordType::Service), 1U);
  catalog_.put_node(node(), now_);
  EXPECT_EQ(catalog_.generation(), 2U);
  EXPECT_EQ(catalog_.generation_of(RecordType::Node), 2U);
  EXPECT_EQ(catalog_.generation_of(RecordType::Endpoint), 1U);
  put(endpoint());
  EXPECT_EQ(catalog_.generation(), 2U) << "it was so before";
}

// A replica that follows another federation counts anew: nobody can go on from what it had counted before.
TEST_F(CatalogTest, a_revision_that_begins_anew_has_no_past) {
  for (const char* key : {"a", "b", "c"}) catalog_.mirror(endpoint("eu-1/n1", key));
  catalog_.mirrored(50, now_);
  catalog_.mirror(endpoint("eu-1/n1", "d"));
  catalog_.mirrored(20, now_);
  EXPECT_EQ(catalog_.changes_since(10), std::nullopt);
  EXPECT_EQ(catalog_.changes_since(19).value().size(), 1U);
}

// Guards followers: whoever applies the changes has the records.
TEST_F(CatalogTest, changes_lead_from_any_revision_to_the_present) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    const auto below = [&](int end) { return std::uniform_int_distribution(0, end - 1)(random); };
    Catalog catalog;
    std::map<std::string, model::Endpoint> copy;
    std::uint64_t seen = 0;
    for (int i = 0; i < 200; ++i) {
      const std::string name = "eu-1/n" + std::to_string(below(3));
      model::Endpoint entry = endpoint(name, std::string(1, static_cast<char>('a' + below(4))));
      entry.weight = static_cast<std::uint32_t>(below(3));
      entry.service = below(4) == 0 ? "api" : "web";
      const int what = below(10);
      if (what < 6) catalog.apply_delta(name, {entry}, {}, kNow);
      if (what == 6) catalog.apply_delta(name, {}, {entry.key}, kNow);
      if (what == 7) catalog.apply_full(name, {entry}, {"files"}, kNow);
      if (what == 8) catalog.withdraw(name, kNow);
      if (below(5) != 0) continue;
      const auto changes = catalog.changes_since(seen).value();
      for (const Change& change : changes) {
        if (change.type != RecordType::Endpoint) continue;
        copy.erase(change.key);
        const auto& endpoints = catalog.records().endpoints;
        if (!change.removed && endpoints.contains(change.key)) copy[change.key] = endpoints.at(change.key);
      }
      seen = catalog.revision();
      ASSERT_EQ(copy, catalog.records().endpoints);
      std::uint32_t counted = 0;
      for (const auto& [key, entry_of] : catalog.records().services) counted += entry_of.endpoints;
      ASSERT_EQ(counted, copy.size());
    }
  }
}

// An agent that has just started knows nothing yet of what was published before.
class KnownHealthTest : public CatalogTest {
 protected:
  /// The state after this report of a new agent.
  model::Health after(model::Health known, model::Health reported, const char* v6 = "fd00::11") {
    model::Endpoint entry = endpoint();
    entry.addresses.push_back(IpAddress::parse("fd00::11").value());
    entry.health = std::move(known);
    put(entry);
    entry.addresses.back() = IpAddress::parse(v6).value();
    entry.health = std::move(reported);
    now_ += 5s;
    put(entry);
    return catalog_.records().endpoints.at("eu-1/n1/a").health;
  }
};

TEST_F(KnownHealthTest, pending_keeps_what_was_published) {
  for (const auto state : {Serving, Draining, Failing}) {
    const auto known = model::Health{.state = state, .detail = "known", .since = kNow};
    EXPECT_EQ(after(known, {.state = Pending, .streak = 2, .needed = 3}), known);
  }
}

TEST_F(KnownHealthTest, as_many_failures_as_it_takes_are_a_verdict) {
  const auto health = after({.state = Serving, .since = kNow},
                            {.state = Pending, .detail = "connection refused", .streak = 3, .needed = 3});
  EXPECT_EQ(health.state, Failing);
  EXPECT_EQ(health.since, now_);
  EXPECT_EQ(health.detail, "connection refused");
}

TEST_F(KnownHealthTest, what_was_failing_is_failing_since_then) {
  EXPECT_EQ(after({.state = Failing, .since = kNow}, {.state = Pending, .streak = 3, .needed = 3}).since, kNow);
}

TEST_F(KnownHealthTest, what_nobody_knew_stays_pending) {
  EXPECT_EQ(after({.state = Pending}, {.state = Pending, .streak = 3, .needed = 3}).state, Pending);
}

TEST_F(KnownHealthTest, no_number_needed_is_no_verdict) {
  EXPECT_EQ(after({.state = Serving, .since = kNow}, {.state = Pending}).state, Serving);
}

TEST_F(KnownHealthTest, of_a_family_that_is_not_judged_yet_what_was_published_stays) {
  const model::Health starting{.state = Serving, .v6 = Pending, .since = kNow};
  EXPECT_EQ(after({.state = Pending}, starting).v6, Pending) << "never published";
  EXPECT_EQ(after({.state = Serving, .v6 = Failing, .since = kNow}, starting).v6, Failing);
  EXPECT_EQ(after({.state = Serving, .since = kNow}, starting).v6, std::nullopt);
  EXPECT_EQ(after({.state = Serving, .since = kNow}, starting, "fd00::12").v6, Pending) << "nobody has asked it yet";
  EXPECT_EQ(after({.state = Serving, .v6 = Failing, .since = kNow}, {.state = Pending, .streak = 3, .needed = 3}).v6,
            Failing)
      << "the last resort is what served before";
}

// Whoever asks: a report is of one node, and touches no other node's records.
TEST_F(CatalogTest, another_nodes_endpoints_are_not_touched) {
  catalog_.put_node(node(), now_);
  put(endpoint("eu-1/n1", "a"));
  model::Endpoint foreign = endpoint("eu-1/n1", "a");
  foreign.health.state = Failing;
  const auto revision = catalog_.revision();
  for (const std::string& claimed : {std::string("eu-1/n2"), std::string("eu-1/n1")}) {
    foreign.node = claimed;
    auto refusals = catalog_.apply_delta("eu-1/n2", {foreign}, {"eu-1/n1/a"}, now_);
    ASSERT_THAT(refusals, SizeIs(2)) << claimed;
    EXPECT_EQ(refusals[0].field, "key");
    EXPECT_EQ(refusals[1], (Refusal{"eu-1/n1/a", "key", "\"eu-1/n1/a\" is no key of node eu-1/n2"}));
    EXPECT_THAT(catalog_.apply_full("eu-1/n2", {foreign}, {"files"}, now_), SizeIs(1));
  }
  EXPECT_EQ(catalog_.revision(), revision);
  EXPECT_EQ(catalog_.records().endpoints.at("eu-1/n1/a").health.state, Serving);
  EXPECT_EQ(catalog_.refused_records(), 6U);
}

TEST_F(CatalogTest, a_nodes_share_is_counted_in_bytes_too) {
  catalog_.put_node(node(), now_);
  const auto large = [](int i) {
    model::Endpoint out = endpoint("eu-1/n1", std::to_string(i));
    for (int label = 0; label < 60; ++label) {
      out.labels.edit()[std::to_string(label) + std::string(240, 'n')] = std::string(253, 'v');
    }
    return out;
  };
  std::vector<model::Endpoint> endpoints;
  const std::size_t fit = model::kMostNodeBytes / text_bytes(large(100));
  for (std::size_t i = 0; i < fit + 2; ++i) endpoints.push_back(large(100 + static_cast<int>(i)));
  EXPECT_THAT(catalog_.apply_delta("eu-1/n1", endpoints, {}, now_), SizeIs(2));
  EXPECT_THAT(catalog_.apply_delta("eu-1/n1", {large(101)}, {}, now_), IsEmpty()) << "no more than before";
  EXPECT_THAT(catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n1/100", "eu-1/n1/101"}, now_), IsEmpty());
  EXPECT_THAT(catalog_.apply_delta("eu-1/n1", {endpoints.back()}, {}, now_), IsEmpty());
  model::Endpoint other = endpoint("eu-1/n2", "a");
  EXPECT_THAT(catalog_.apply_delta("eu-1/n2", {other}, {}, now_), IsEmpty()) << "each node has its own share";
}

// A freeze holds changes back, and the share counts them all the same.
TEST_F(CatalogTest, a_nodes_share_counts_what_is_held_back) {
  catalog_.put_node(node(), now_);
  model::Override freeze;
  freeze.meta.name = "freeze";
  freeze.action = model::Action::Freeze;
  catalog_.put_override(freeze, now_);
  std::vector<model::Endpoint> endpoints;
  for (std::size_t i = 0; i < model::kMostNodeEndpoints; ++i)
    endpoints.push_back(endpoint("eu-1/n1", std::to_string(i)));
  EXPECT_THAT(catalog_.apply_delta("eu-1/n1", endpoints, {}, now_), IsEmpty());
  EXPECT_THAT(catalog_.apply_delta("eu-1/n1", {endpoint("eu-1/n1", "x")}, {}, now_), SizeIs(1));
}

// One check for every way in: what a replica or a store has is no better than what an agent reports.
TEST_F(CatalogTest, what_is_mirrored_is_checked) {
  model::Endpoint bad = endpoint();
  bad.addresses.clear();
  EXPECT_EQ(catalog_.mirror(bad).value().field, "addresses");
  bad = endpoint();
  bad.weight = 1U << 30;
  EXPECT_EQ(catalog_.mirror(bad).value().field, "weight");
  EXPECT_EQ(catalog_.mirror(node("n1/shop")).value().field, "locality.node");
  EXPECT_EQ(catalog_.mirror("n1", model::NodeStatus{}).value().field, "key");
  EXPECT_EQ(catalog_.mirror(model::ServiceKey{"shop", ""}).value().field, "name");
  EXPECT_EQ(catalog_.mirror("eu/1", model::ClusterStatus{}).value().field, "key");
  EXPECT_EQ(catalog_.mirror("web.example.net", model::ExternalName{}).value().field, "addresses");
  EXPECT_EQ(catalog_.size(), 0U);
  EXPECT_EQ(catalog_.refused_records(), 7U);
  EXPECT_EQ(catalog_.mirror(node()), std::nullopt);
  EXPECT_EQ(catalog_.mirror(endpoint()), std::nullopt);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
}

}  // namespace
}  // namespace meshdns::catalog
