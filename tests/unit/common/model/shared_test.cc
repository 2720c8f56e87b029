#include "common/model/shared.h"

#include <gtest/gtest.h>

#include "common/model/endpoint.h"

namespace meshdns::model {
namespace {

using SharedLabels = Shared<Labels>;

TEST(SharedTest, reads_and_compares_as_its_container) {
  const SharedLabels labels = {{"app", "web"}, {"tier", "front"}};
  EXPECT_EQ(labels.size(), 2U);
  EXPECT_EQ(labels.at("app"), "web");
  EXPECT_TRUE(labels.contains("tier"));
  EXPECT_EQ(labels, SharedLabels(Labels{{"app", "web"}, {"tier", "front"}}));
  EXPECT_NE(labels, SharedLabels());
  EXPECT_TRUE(SharedLabels().empty());
  EXPECT_EQ(SharedLabels(), SharedLabels(Labels{}));
}

TEST(SharedTest, a_change_of_one_copy_is_not_the_others) {
  SharedLabels one = {{"app", "web"}};
  const SharedLabels other = one;
  EXPECT_EQ(&one.get(), &other.get());
  one.edit()["app"] = "api";
  EXPECT_EQ(one.at("app"), "api");
  EXPECT_EQ(other.at("app"), "web");
  Shared<Ports> ports;
  ports.push_back({"http", 80, "TCP", ""});
  EXPECT_EQ(ports.front().number, 80);
  ports.clear();
  EXPECT_TRUE(ports.empty());
}

TEST(SharedPoolTest, equal_values_share_their_memory) {
  SharedPool<Labels, SharedHash> pool;
  SharedLabels one = {{"app", "web"}};
  SharedLabels equal = {{"app", "web"}};
  SharedLabels other = {{"app", "api"}};
  SharedLabels nothing;
  for (SharedLabels* labels : {&one, &equal, &other, &nothing}) pool.share(*labels);
  EXPECT_EQ(&one.get(), &equal.get());
  EXPECT_EQ(other.at("app"), "api");
  EXPECT_TRUE(nothing.empty());
  EXPECT_EQ(pool.size(), 2U);
}

TEST(SharedPoolTest, forgets_what_nobody_has) {
  SharedPool<Labels, SharedHash> pool;
  SharedLabels kept = {{"app", "kept"}};
  pool.share(kept);
  for (int i = 0; i < 100'000; ++i) {
    SharedLabels passing = {{"app", std::to_string(i)}};
    pool.share(passing);
  }
  EXPECT_LT(pool.size(), 3000U);
  SharedLabels again = {{"app", "kept"}};
  pool.share(again);
  EXPECT_EQ(&again.get(), &kept.get());
}

}  // namespace
}  // namespace meshdns::model
