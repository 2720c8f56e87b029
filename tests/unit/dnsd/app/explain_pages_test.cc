// An explanation in pages is the explanation, whatever the sizes are and whatever happens meanwhile.
#include "dnsd/app/explain_pages.h"

#include <gtest/gtest.h>

#include "common/time/sim_clock.h"
#include "dnsd/ctl/append.h"

namespace meshdns::dnsd::app {
namespace {

v1::ExplainReply explanation(int endpoints) {
  v1::ExplainReply out;
  out.set_host("web.mesh.internal");
  out.set_revision(7);
  out.add_advice("something");
  for (std::uint32_t number = 0; number < 3; ++number) {
    v1::ExplainedTier& tier = *out.add_tiers();
    tier.set_number(number);
    tier.set_rung("any");
    for (int i = 0; number != 1 && i < endpoints; ++i) {
      tier.add_endpoints()->set_key("e" + std::to_string(i));
      tier.add_answer("10.0.0." + std::to_string(i));
    }
  }
  for (int i = 0; i < endpoints; ++i) out.add_answer("10.0.0." + std::to_string(i));
  return out;
}

v1::SimulateReply simulation(int endpoints) {
  v1::SimulateReply out;
  *out.mutable_before() = explanation(endpoints);
  *out.mutable_after() = explanation(endpoints + 1);
  for (int i = 0; i < endpoints; ++i) out.add_endpoints()->set_endpoint(std::to_string(i));
  out.add_notes("a note");
  return out;
}

template <class Reply>
Reply in_pages(ExplainPages<Reply>& pages, const Reply& whole, std::size_t rows, std::size_t& count) {
  Reply all;
  Reply page = pages.first(whole, rows);
  for (count = 1;; ++count) {
    const std::string token = page.continue_();
    ctl::append(std::move(page), all);
    if (token.empty()) return all;
    page = pages.next(token, rows).value();
  }
}

class ExplainPagesTest : public testing::Test {
 protected:
  SimClock clock_;
};

TEST_F(ExplainPagesTest, pages_are_the_whole) {
  std::size_t count = 0;
  for (const std::size_t rows : {0UL, 1UL, 2UL, 7UL, 1000UL}) {
    ExplainPages<v1::ExplainReply> pages(clock_, "Explain");
    EXPECT_EQ(in_pages(pages, explanation(5), rows, count).DebugString(), explanation(5).DebugString()) << rows;
    EXPECT_EQ(count, rows == 0 || rows == 1000 ? 1 : (25 + rows - 1) / rows);
    ExplainPages<v1::SimulateReply> simulated(clock_, "Simulate");
    EXPECT_EQ(in_pages(simulated, simulation(5), rows, count).DebugString(), simulation(5).DebugString()) << rows;
  }
}

TEST_F(ExplainPagesTest, a_page_has_no_more_bytes_than_it_may) {
  std::size_t count = 0;
  ExplainPages<v1::ExplainReply> pages(clock_, "Explain", 1);
  EXPECT_EQ(in_pages(pages, explanation(3), 0, count).DebugString(), explanation(3).DebugString());
  EXPECT_EQ(count, 15U) << "a row each";
}

TEST_F(ExplainPagesTest, pages_that_nobody_asks_for_go) {
  ExplainPages<v1::ExplainReply> pages(clock_, "Explain");
  std::string token = pages.first(explanation(5), 1).continue_();
  for (int i = 0; i < 3; ++i) {
    clock_.advance(20s);
    token = pages.next(token, 1).value().continue_();
  }
  clock_.advance(30s);
  EXPECT_EQ(pages.next(token, 1).error().code(), Code::Unavailable);
  EXPECT_EQ(pages.next("Explain-0-zz", 1).error().code(), Code::InvalidArgument);
}

TEST_F(ExplainPagesTest, only_a_few_are_kept) {
  ExplainPages<v1::ExplainReply> pages(clock_, "Explain");
  const std::string first = pages.first(explanation(5), 1).continue_();
  const std::string second = pages.first(explanation(5), 1).continue_();
  for (std::size_t i = 1; i < ExplainPages<v1::ExplainReply>::kMostKept; ++i) pages.first(explanation(5), 1);
  EXPECT_EQ(pages.next(first, 1).error().code(), Code::Unavailable);
  EXPECT_TRUE(pages.next(second, 1));
}

}  // namespace
}  // namespace meshdns::dnsd::app
