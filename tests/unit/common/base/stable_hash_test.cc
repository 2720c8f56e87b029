#include "common/base/stable_hash.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace meshdns {
namespace {

// Servers of several versions answer side by side: they must draw alike.
TEST(StableHash, never_changes) {
  EXPECT_EQ(stable_hash({}), 0xF52A15E9A9B5E89BU);
  EXPECT_EQ(stable_hash({"web.mesh.internal", "eu-1", "us-1"}), 0xE63ECC4101F2687FU);
}

TEST(StableHash, tells_where_a_text_ends) {
  EXPECT_NE(stable_hash({"ab", "c"}), stable_hash({"a", "bc"}));
  EXPECT_NE(stable_hash({"", "a"}), stable_hash({"a", ""}));
}

TEST(StableHash, spreads_names_that_differ_in_one_letter) {
  std::vector<int> hits(8, 0);
  for (int i = 0; i < 8000; ++i) ++hits[stable_hash({"host" + std::to_string(i), "eu-1", "us-1"}) % hits.size()];
  for (const int hit : hits) EXPECT_NEAR(hit, 1000, 150);
}

}  // namespace
}  // namespace meshdns
