// What follows from the events of the Kubernetes API.
#include "dnsd/resources/follower.h"

#include "common/convert/object_convert.h"
#include "tests/unit/dnsd/resources/resources_bed.h"

namespace meshdns::resources::test {
namespace {

using kubernetes::EventType;

class FollowerTest : public testing::Test {
 protected:
  /// Applies what there is: a text like "+app-b -app-a".
  std::string changes() {
    const auto changes = follower_.take_changes(100);
    std::string out;
    for (const auto& object : changes.put) {
      out += " +" + object.metadata().name();
      follower_.settled(convert::object_key(object), "");
    }
    for (const std::string& key : changes.erase) out += " -" + key.substr(key.rfind('/') + 1);
    return out.empty() ? "" : out.substr(1);
  }
  void add(const std::string& name, int generation = 1, const std::string& host = "x.mesh.internal") {
    follower_.take(kDestination, event(destination(name, generation, host)));
  }
  const Follower::Entry& entry(const std::string& name) {
    return follower_.entries().at("VirtualDestination/shop/" + name);
  }

  Follower follower_;
};

TEST_F(FollowerTest, a_complete_list_erases_what_it_lacks) {
  follower_.begin(kDestination);
  add("a");
  add("b");
  EXPECT_EQ(changes(), "+a +b");
  EXPECT_FALSE(follower_.is_listed(kDestination));
  follower_.listed(kDestination, {"VirtualDestination/shop/left", "Cluster/eu-1"});  // of an earlier run
  EXPECT_EQ(changes(), "-left");
  follower_.begin(kDestination);
  add("b");
  EXPECT_EQ(changes(), "");  // nothing is withdrawn before the end of the list
  follower_.listed(kDestination, {"VirtualDestination/shop/a", "VirtualDestination/shop/b"});
  EXPECT_EQ(changes(), "-a");
  EXPECT_TRUE(follower_.is_listed(kDestination));
  EXPECT_FALSE(follower_.all_listed());
}

TEST_F(FollowerTest, our_own_status_changes_nothing) {
  add("a");
  EXPECT_EQ(changes(), "+a");
  follower_.take(kDestination,
                 event(destination("a", 1, "x.mesh.internal", R"(,"status":{"conditions":[]})"), EventType::Modified));
  EXPECT_EQ(changes(), "");
  add("a", 2, "y.mesh.internal");
  EXPECT_EQ(changes(), "+a");
  EXPECT_EQ(entry("a").taken_generation, 2);
}

TEST_F(FollowerTest, a_version_that_is_refused_changes_nothing) {
  add("a", 1);
  EXPECT_EQ(changes(), "+a");
  add("a", 2, "*.x");
  EXPECT_EQ(changes(), "");
  EXPECT_EQ(entry("a").taken_generation, 1);
  EXPECT_NE(entry("a").problem, "");
  EXPECT_EQ(follower_.refusals(), 1U);
  add("a", 3, "z.mesh.internal");
  EXPECT_EQ(changes(), "+a");
  EXPECT_EQ(entry("a").problem, "");
  EXPECT_EQ(follower_.refusals(), 0U);
}

TEST_F(FollowerTest, what_the_catalog_refuses_is_refused_too) {
  add("a", 1);
  follower_.take_changes(100);
  follower_.settled("VirtualDestination/shop/a", "there is no room");
  EXPECT_EQ(entry("a").problem, "there is no room");
  EXPECT_EQ(entry("a").taken_generation, 0);
  follower_.settled("VirtualDestination/shop/unknown", "");  // gone meanwhile
}

TEST_F(FollowerTest, deleted_and_made_again) {
  add("a");
  EXPECT_EQ(changes(), "+a");
  follower_.take(kDestination, event(destination("a", 1, "x.mesh.internal"), EventType::Deleted));
  add("a", 1, "y.mesh.internal");
  EXPECT_EQ(changes(), "+a");
  follower_.take(kDestination, event(destination("a", 1, "y.mesh.internal"), EventType::Deleted));
  EXPECT_EQ(changes(), "-a");
  EXPECT_TRUE(follower_.entries().empty());
}

TEST_F(FollowerTest, deleted_within_a_list) {
  follower_.begin(kDestination);
  add("a");
  follower_.take(kDestination, event(destination("a", 1, "x.mesh.internal"), EventType::Deleted));
  follower_.listed(kDestination, {});
  EXPECT_EQ(changes(), "-a");
}

TEST_F(FollowerTest, changes_come_in_bounded_parts) {
  add("a");
  add("b");
  add("c");
  EXPECT_EQ(follower_.take_changes(2).put.size(), 2U);
  EXPECT_TRUE(follower_.has_changes());
  EXPECT_EQ(changes(), "+c");
  EXPECT_FALSE(follower_.has_changes());
}

TEST_F(FollowerTest, counts_what_it_cannot_read) {
  EXPECT_EQ(follower_.take(kDestination, event(R"({"metadata":{"resourceVersion":"1"}})")), "");
  EXPECT_EQ(follower_.unreadable(), 1U);
}

}  // namespace
}  // namespace meshdns::resources::test
