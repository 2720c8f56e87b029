// What clients see of serials: the catalog's, but never an older one than before (RFC 1982).
#include <gtest/gtest.h>

#include "common/time/sim_clock.h"
#include "dnsd/publish/publisher.h"
#include "tests/unit/dnsd/catalog/sample.h"

namespace meshdns::publish {
namespace {

class ShownSerialTest : public testing::Test {
 protected:
  ShownSerialTest() {
    answers::AnswerSettings settings;
    settings.zones.push_back({"mesh.internal", {}, ""});
    settings.listeners.push_back({"10.0.9.1:53", {}});
    publisher_.configure(settings, {});
  }

  void change() {
    catalog_.apply_delta("eu-1/n1", {catalog::endpoint("eu-1/n1", std::to_string(++endpoints_))}, {}, clock_.now());
  }
  std::uint32_t shown() {
    publisher_.changed();
    publisher_.flush();
    return publisher_.table().get()->serial;
  }

  SimClock clock_;
  catalog::Catalog catalog_;
  Publisher publisher_{catalog_, clock_, clock_, [](const std::function<void()>&) {}};
  int endpoints_ = 0;
};

TEST_F(ShownSerialTest, IsThatOfTheRevision) {
  catalog_.set_serial(1000);
  change();
  EXPECT_EQ(shown(), 1001U);
  change();
  change();
  EXPECT_EQ(shown(), 1003U);
  publisher_.set_stale(true);
  EXPECT_EQ(shown(), 1003U) << "another table of the same revision";
}

TEST_F(ShownSerialTest, OneThatMovesOnAloneIsShown) {
  catalog_.set_serial(1000);
  change();
  EXPECT_EQ(shown(), 1001U);
  catalog_.pass_serial(catalog_.serial());
  EXPECT_EQ(shown(), 1002U);
}

TEST_F(ShownSerialTest, AnOlderOneIsNeverShown) {
  change();
  catalog_.set_serial(1000);
  EXPECT_EQ(shown(), 1000U);
  catalog_.set_serial(10);
  change();
  EXPECT_EQ(shown(), 1001U) << "a change all the same";
  catalog_.set_serial(2000);
  EXPECT_EQ(shown(), 2000U);
}

TEST_F(ShownSerialTest, GoesOnBehindTheLargestNumber) {
  change();
  catalog_.set_serial(0xFFFFFFFF);
  EXPECT_EQ(shown(), 0xFFFFFFFFU);
  change();
  EXPECT_EQ(shown(), 0U);
  change();
  EXPECT_EQ(shown(), 1U);
}

TEST_F(ShownSerialTest, WhatNothingIsKnownOfIsNotHeldAgainstTheFirstWord) {
  catalog_.set_serial(5000);
  EXPECT_EQ(shown(), 5000U);
  change();
  catalog_.set_serial(1000);
  EXPECT_EQ(shown(), 1000U);
}

}  // namespace
}  // namespace meshdns::publish
