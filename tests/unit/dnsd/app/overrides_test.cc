// Overrides where a process keeps them: expiry, refusals, a replica's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/convert/object_convert.h"
#include "common/time/sim_clock.h"
#include "common/time/time_text.h"
#include "dnsd/app/local_overrides.h"
#include "dnsd/app/override_guard.h"
#include "dnsd/app/override_rounds.h"
#include "tests/unit/dnsd/catalog/sample.h"
#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::dnsd::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;

v1::Object drain(const std::string& name, const std::string& node, std::int64_t expires = 0) {
  v1::Object out;
  out.set_api_version("meshdns.io/v1alpha1");
  out.set_kind("Override");
  out.mutable_metadata()->set_name(name);
  v1::OverrideSpec& spec = *out.mutable_override();
  spec.mutable_target()->set_node(node);
  spec.set_action("Drain");
  spec.set_reason("test");
  if (expires != 0) spec.set_expires(time_text(expires));
  return out;
}

v1::ApplyRequest request_of(const std::vector<v1::Object>& objects) {
  v1::ApplyRequest out;
  out.set_manager("cli");
  for (const v1::Object& object : objects) *out.add_objects() = object;
  return out;
}

class OverridesTest : public testing::Test {
 protected:
  OverridesTest() {
    answers::AnswerSettings settings;
    settings.zones.push_back({"mesh.internal", {}, ""});
    settings.listeners.push_back({"10.0.9.1:53", {}});
    publisher_.configure(settings, {});
    for (const char* name : {"n1", "n2", "n3"}) {
      catalog_.put_node(catalog::node(name), clock_.now());
      catalog_.apply_delta(std::string("eu-1/") + name, {catalog::endpoint(std::string("eu-1/") + name)}, {},
                           clock_.now());
    }
  }
  LocalOverrides::Environment local() {
    return {clock_, catalog_, objects_, publisher_, "eu-1/host", folder_.path_of_folder()};
  }
  std::string said(const v1::ApplyReply& reply) const {
    if (reply.applied()) return "applied";
    std::string out;
    for (const auto& result : reply.results()) out += result.key() + ": " + result.error() + "\n";
    return out;
  }
  topology::Standing standing(std::size_t candidate) {
    return publisher_.plan("web.shop.mesh.internal")->candidates[candidate].standing;
  }

  SimClock clock_;
  store::Folder folder_;
  catalog::Catalog catalog_;
  persistence::Objects objects_{catalog_, "eu-1/host"};
  publish::Publisher publisher_{catalog_, clock_, clock_, [](const std::function<void()>&) {}};
};

TEST_F(OverridesTest, what_two_of_one_request_do_together_is_refused) {
  persistence::Objects::Change change;
  objects_.commit({{drain("z", "n3")}, {}}, clock_.now());
  const auto request = request_of({drain("a", "n1"), drain("b", "n2"), drain("c", "nobody")});
  v1::ApplyReply reply = objects_.check(request, clock_.unix_seconds(), change);
  EXPECT_TRUE(refuse_emptying(request, publisher_, catalog_.records().overrides, reply));
  const std::string why =
      ": would leave web.shop.mesh.internal without serving endpoints; --force does it all the same";
  EXPECT_EQ(reply.results(0).key() + ": " + reply.results(0).error(), "Override/a" + why);
  EXPECT_EQ(reply.results(1).key() + ": " + reply.results(1).error(), "Override/b" + why);
  EXPECT_EQ(reply.results(2).outcome(), v1::ApplyResult::CREATED);
  const auto one = request_of({drain("a", "n1")});
  v1::ApplyReply good = objects_.check(one, clock_.unix_seconds(), change);
  EXPECT_FALSE(refuse_emptying(one, publisher_, catalog_.records().overrides, good));
}

TEST_F(OverridesTest, of_several_hosts_one_is_named_and_the_others_counted) {
  for (const char* service : {"a", "b", "c"}) {
    model::Endpoint only = catalog::endpoint("eu-1/n1", service);
    only.service = service;
    catalog_.apply_delta("eu-1/n1", {only}, {}, clock_.now());
  }
  persistence::Objects::Change change;
  const auto request = request_of({drain("x", "n1")});
  v1::ApplyReply reply = objects_.check(request, clock_.unix_seconds(), change);
  EXPECT_TRUE(refuse_emptying(request, publisher_, {}, reply));
  EXPECT_THAT(reply.results(0).error(), HasSubstr("would leave a.shop.mesh.internal (and 2 more) without"));
}

TEST_F(OverridesTest, what_is_over_is_not_taken) {
  persistence::Objects::Change change;
  const auto reply =
      objects_.check(request_of({drain("a", "n1", clock_.unix_seconds())}), clock_.unix_seconds(), change);
  EXPECT_THAT(said(reply), HasSubstr("spec.expires: "));
  EXPECT_THAT(said(reply), HasSubstr(" is over"));
  EXPECT_TRUE(change.empty());
}

TEST_F(OverridesTest, rounds_look_each_second) {
  int expiries = 0;
  OverrideRounds rounds({clock_, clock_, catalog_, [&] { ++expiries; }});
  rounds.watch();
  EXPECT_EQ(expiries, 1);
  clock_.advance(3s);
  EXPECT_EQ(expiries, 4);
}

TEST_F(OverridesTest, a_local_one_is_obeyed_by_this_process_and_by_no_other) {
  LocalOverrides overrides(local());
  const auto revision = catalog_.revision();
  EXPECT_EQ(said(overrides.apply(request_of({drain("d", "n1")}))), "applied");
  EXPECT_EQ(standing(0), topology::Standing::Draining);
  EXPECT_EQ(catalog_.revision(), revision) << "of no revision: nobody is sent it";
  EXPECT_THAT(*catalog_.changes_since(revision), IsEmpty());
  EXPECT_THAT(objects_.all(), ElementsAre(Key("Override/local:d")));
  EXPECT_EQ(objects_.all().begin()->second.metadata().manager(), "local");
  // one of the federation with the same name is another
  objects_.commit({{drain("d", "n2")}, {}}, clock_.now());
  EXPECT_EQ(standing(1), topology::Standing::Draining);
  objects_.commit({{}, {"Override/d"}}, clock_.now());
  EXPECT_EQ(standing(0), topology::Standing::Draining);
  v1::DeleteRequest request;
  request.add_keys("Override/d");
  EXPECT_THAT(overrides.erase(request)->deleted(), ElementsAre("Override/d"));
  EXPECT_EQ(standing(0), topology::Standing::Serving);
  EXPECT_FALSE(overrides.any());
  EXPECT_FALSE(LocalOverrides::left_in(folder_.path_of_folder()));
  EXPECT_THAT(overrides.erase(request)->missing(), ElementsAre("Override/d"));
}

TEST_F(OverridesTest, a_local_one_lasts_an_hour_over_restarts) {
  {
    LocalOverrides overrides(local());
    EXPECT_EQ(said(overrides.apply(request_of({drain("d", "n1")}))), "applied");
  }
  EXPECT_TRUE(LocalOverrides::left_in(folder_.path_of_folder()));
  catalog_.erase_local_override("local:d");  // the process has ended
  clock_.advance(59min);
  LocalOverrides next(local());
  next.restore();
  EXPECT_EQ(standing(0), topology::Standing::Draining);
  clock_.advance(1min);
  next.expire();
  EXPECT_EQ(standing(0), topology::Standing::Serving);
  LocalOverrides last(local());
  last.restore();
  EXPECT_EQ(last.size(), 0U);
}

TEST_F(OverridesTest, only_overrides_of_endpoints_are_local_and_a_host_is_not_emptied) {
  LocalOverrides overrides(local());
  v1::Object freeze = drain("f", "");
  freeze.mutable_override()->set_action("Freeze");
  freeze.mutable_override()->clear_target();
  EXPECT_THAT(said(overrides.apply(request_of({freeze}))), HasSubstr("can be local"));
  const auto all = request_of({drain("a", "n1"), drain("b", "n2"), drain("c", "n3")});
  EXPECT_THAT(said(overrides.apply(all)), HasSubstr("would leave web.shop.mesh.internal"));
  EXPECT_EQ(overrides.size(), 0U);
  v1::ApplyRequest forced = all;
  forced.set_force(true);
  EXPECT_EQ(said(overrides.apply(forced)), "applied");
  EXPECT_EQ(overrides.size(), 3U);
}

TEST_F(OverridesTest, what_cannot_be_kept_is_refused) {
  LocalOverrides::Environment nowhere = local();
  nowhere.folder = "/proc/nothing";
  LocalOverrides overrides(nowhere);
  EXPECT_THAT(said(overrides.apply(request_of({drain("d", "n1")}))), HasSubstr("not kept: "));
  EXPECT_EQ(standing(0), topology::Standing::Serving);
}

}  // namespace
}  // namespace meshdns::dnsd::app
