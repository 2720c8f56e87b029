// Who gets how many of the descriptors that there are.
#include "dnsd/app/descriptor_budget.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace meshdns::dnsd::app {
namespace {

constexpr std::size_t kUnlimited = 1U << 20;

TEST(DescriptorBudgetTest, with_many_everybody_has_what_it_wants) {
  const auto budget = DescriptorBudget::of(kUnlimited, {.dns = 1000, .federation = 20000, .per_address = 500});
  EXPECT_EQ(budget.dns, 1000U);
  EXPECT_EQ(budget.federation, 20000U);
  EXPECT_EQ(budget.per_address, 500U);
}

TEST(DescriptorBudgetTest, without_a_wish_the_federation_has_what_is_left_up_to_a_bound) {
  EXPECT_EQ(DescriptorBudget::of(kUnlimited, {.dns = 1000}).federation, DescriptorBudget::kMostAuto);
  const auto budget = DescriptorBudget::of(20000, {.dns = 1000});
  EXPECT_EQ(budget.dns, 1000U);
  EXPECT_EQ(budget.federation, 20000U - 512U - 1000U);
  EXPECT_EQ(budget.per_address, budget.federation - budget.federation / 4);
}

TEST(DescriptorBudgetTest, a_small_limit_is_divided) {
  const auto budget = DescriptorBudget::of(1024, {.dns = 1000});
  EXPECT_EQ(budget.dns, 256U);
  EXPECT_EQ(budget.federation, 512U);
  EXPECT_EQ(budget.per_address, 384U);
}

TEST(DescriptorBudgetTest, never_more_than_there_are_and_never_none) {
  for (std::size_t limit = 0; limit < 5000; limit += 7) {
    for (const std::size_t dns : {1, 1000, 1000000}) {
      for (const std::size_t federation : {0, 1, 1000, 1000000}) {
        const auto budget = DescriptorBudget::of(limit, {.dns = dns, .federation = federation});
        ASSERT_GE(budget.dns, 1U);
        ASSERT_GE(budget.federation, 1U);
        ASSERT_GE(budget.per_address, 1U);
        ASSERT_LE(budget.dns + budget.federation, std::max<std::size_t>(limit - limit / 16, 2)) << limit;
      }
    }
  }
}

}  // namespace
}  // namespace meshdns::dnsd::app
