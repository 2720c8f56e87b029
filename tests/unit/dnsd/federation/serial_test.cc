// The zones' serial: the same wherever the revision is the same, and never older than one that was shown (RFC 1982).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

class SerialTest : public testing::Test {
 protected:
  SerialTest() {
    federation_.catalog.set_serial(1000);
    federation_.report(1);
  }
  void heartbeat(Link& link) {
    federation_.watchers().heartbeat();
    link.carry();
  }

  SimClock clock_;
  Federation federation_{clock_};
  Subscriber first_{clock_};
  Subscriber second_{clock_};
};

TEST(SerialOrderTest, NewerIsLessThanHalfTheCircleAhead) {
  EXPECT_TRUE(catalog::is_newer_serial(2, 1));
  EXPECT_FALSE(catalog::is_newer_serial(1, 1));
  EXPECT_FALSE(catalog::is_newer_serial(1, 2));
  EXPECT_TRUE(catalog::is_newer_serial(5, 0xFFFFFFF0));
  EXPECT_FALSE(catalog::is_newer_serial(0xFFFFFFF0, 5));
}

TEST_F(SerialTest, ReplicasShowThatOfTheirRevisionWheneverTheyCome) {
  Link first(federation_, first_);
  first.carry();
  EXPECT_EQ(first_.catalog.serial(), 1001U);
  federation_.put_destination("web", 80);
  federation_.put_destination("api", 80);
  federation_.watchers().changed();
  first.carry();
  Link second(federation_, second_);
  second.carry();
  EXPECT_EQ(first_.catalog.serial(), 1003U);
  EXPECT_EQ(second_.catalog.serial(), 1003U);
  EXPECT_EQ(federation_.catalog.serial(), 1003U);
}

TEST_F(SerialTest, ASerialThatMovesOnAloneComesWithTheNextHeartbeat) {
  Link link(federation_, first_);
  link.carry();
  const int changes = first_.changes;
  heartbeat(link);
  EXPECT_EQ(first_.changes, changes) << "nothing is different";
  federation_.catalog.pass_serial(federation_.catalog.serial());
  heartbeat(link);
  EXPECT_EQ(first_.catalog.serial(), 1002U);
  EXPECT_EQ(first_.changes, changes + 1) << "it is published";
  EXPECT_EQ(first_.catalog.revision(), federation_.catalog.revision());
}

TEST_F(SerialTest, AFederationThatBeganLaterGoesOnBehindWhatReplicasHaveShown) {
  { Link(federation_, first_).carry(); }
  Federation other(clock_, 7);
  other.begin(7, "b");
  other.catalog.set_serial(10);
  other.report(1);
  Link link(other, first_);
  link.carry();
  EXPECT_EQ(other.catalog.serial(), 1002U);
  EXPECT_EQ(first_.catalog.serial(), 1002U);
  Link second(other, second_);
  second.carry();
  EXPECT_EQ(second_.catalog.serial(), 1002U);
}

// RFC 1982: the largest number is followed by 0, which is a serial like any other.
TEST_F(SerialTest, ReplicasFollowThroughTheWrap) {
  federation_.catalog.set_serial(0xFFFFFFFF);
  Link first(federation_, first_);
  first.carry();
  EXPECT_EQ(first_.catalog.serial(), 0xFFFFFFFFU);
  federation_.put_destination("web", 80);
  federation_.watchers().changed();
  first.carry();
  EXPECT_EQ(first_.catalog.serial(), 0U);
  second_.catalog.set_serial(0xFFFFFF00);
  Link second(federation_, second_);
  second.carry();
  EXPECT_EQ(second_.catalog.serial(), 0U) << "who comes just now";
  federation_.put_destination("api", 80);
  federation_.watchers().changed();
  first.carry();
  second.carry();
  EXPECT_EQ(first_.catalog.serial(), 1U);
  EXPECT_EQ(second_.catalog.serial(), 1U);
  EXPECT_TRUE(catalog::is_newer_serial(first_.catalog.serial(), 0xFFFFFFFF));
}

TEST_F(SerialTest, AHeartbeatLeadsOverTheWrapToo) {
  federation_.catalog.set_serial(0xFFFFFFFF);
  Link link(federation_, first_);
  link.carry();
  federation_.catalog.pass_serial(0xFFFFFFFF);
  heartbeat(link);
  EXPECT_EQ(first_.catalog.serial(), 0U);
  heartbeat(link);
  EXPECT_EQ(federation_.catalog.serial(), 0U) << "nothing is passed twice";
}

TEST_F(SerialTest, AReplicaThatComesBackUnchangedChangesNothing) {
  { Link(federation_, first_).carry(); }
  Link again(federation_, first_);
  again.carry();
  EXPECT_EQ(federation_.catalog.serial(), 1001U);
  EXPECT_EQ(first_.catalog.serial(), 1001U);
}

TEST_F(SerialTest, WhatAReplicaKeepsInAFileHasTheSerial) {
  { Link(federation_, first_).carry(); }
  ASSERT_TRUE(second_.mirror.apply(first_.mirror.snapshot(clock_.now()), clock_.now()));
  EXPECT_EQ(second_.catalog.serial(), 1001U);
}

TEST_F(SerialTest, AFederationThatTellsNoneLeavesTheReplicasOwn) {
  first_.catalog.set_serial(500);
  federation_.feed().update();
  v1::Batch batch = reply_of(federation_.feed().snapshot(clock_.now()), clock_.now()).batch();
  batch.clear_serial();
  ASSERT_TRUE(first_.mirror.apply(batch, clock_.now()));
  EXPECT_TRUE(catalog::is_newer_serial(first_.catalog.serial(), 500));
}

}  // namespace
}  // namespace meshdns::federation
