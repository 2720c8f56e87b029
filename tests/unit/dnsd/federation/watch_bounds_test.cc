// What subscribers can make a federation hold, and believe.
#include "common/convert/record_convert.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// A subscriber made of messages; it reads when the test says so.
struct Deaf {
  Deaf(Federation& federation, const std::string& peer) : watchers(federation.watchers()) {
    port->hold_writes = true;
    session = watchers.open(port, peer, identity::Caller::everybody());
  }
  Deaf(const Deaf&) = delete;
  Deaf& operator=(const Deaf&) = delete;
  ~Deaf() { watchers.closed(*session); }

  void subscribe(const v1::Position& held) {
    v1::WatchRequest request;
    *request.mutable_subscribe()->add_held() = held;
    session->received(request);
  }
  void subscribe() {
    v1::WatchRequest request;
    request.mutable_subscribe();
    session->received(request);
  }
  void read() {
    port->in_flight = false;
    session->pump();
  }
  bool got_all() const {
    return !port->sent.empty() && decoded(port->sent.back()).has_batch() && batch_of(port->sent.back()).last();
  }

  Watchers& watchers;
  std::shared_ptr<test::FakePort<EncodedReply>> port = std::make_shared<test::FakePort<EncodedReply>>();
  std::shared_ptr<WatchSession> session;
};

class WatchBoundsTest : public testing::Test {
 protected:
  static constexpr std::size_t kPart = 4096;
  static constexpr rpc::Quota::Limits kUnread{64 * kPart, 16 * kPart};

  /// Endpoints of so many parts, and of less than one more.
  void fill(std::size_t parts) {
    const auto one = catalog::endpoint("eu-1/n1", "1000");
    v1::Record record;
    record.set_type("Endpoint");
    record.set_key(one.key);
    record.set_body(convert::endpoint_body(one));
    federation_.report(static_cast<int>(parts * kPart / record.ByteSizeLong()) + 1);
    federation_.feed().update();
  }
  /// A position of which every bucket differs: it gets a batch of its own.
  v1::Position other_records(std::uint32_t serial = 0) {
    v1::Position held;
    held.mutable_origin()->set_cluster("eu-1");
    held.mutable_origin()->set_instance("a");
    held.set_epoch(77);
    held.set_revision(1);
    for (std::uint32_t i = 0; i < Feed::kBuckets; ++i) held.add_buckets(i + 1);
    if (serial != 0) held.set_serial(serial);
    return held;
  }
  std::string peer(int number) { return "ipv4:10.0." + std::to_string(number) + ".1:4711"; }
  void beat(Duration time) {
    for (Duration passed{}; passed < time; passed += 500ms) {
      clock_.advance(500ms);
      federation_.watchers().heartbeat();
    }
  }
  const WatchCounters& counters() { return federation_.watchers().counters(); }

  SimClock clock_;
  Federation federation_{clock_, 1, FeedSizes{.part_bytes = kPart}, kUnread};
  std::vector<std::unique_ptr<Deaf>> subscribers_;
};

// 200 streams that do not read, each with a batch of its own: a gigabyte.
TEST_F(WatchBoundsTest, what_is_not_read_is_bounded_in_all_and_for_each_address) {
  fill(2);
  for (int i = 0; i < 200; ++i) {
    subscribers_.push_back(std::make_unique<Deaf>(federation_, peer(0)));
    subscribers_.back()->subscribe(other_records());
  }
  EXPECT_LE(federation_.watchers().unread_bytes(), kUnread.each + 2 * kPart);
  for (int i = 0; i < 200; ++i) {
    subscribers_.push_back(std::make_unique<Deaf>(federation_, peer(1 + i % 20)));
    subscribers_.back()->subscribe(other_records());
  }
  EXPECT_LE(federation_.watchers().unread_bytes(), kUnread.total + 2 * kPart);
  EXPECT_GT(counters().waits, 300U);
  subscribers_.clear();
  EXPECT_EQ(federation_.watchers().unread_bytes(), 0U);
}

TEST_F(WatchBoundsTest, another_address_is_served_while_one_reads_nothing) {
  fill(3);
  for (int i = 0; i < 100; ++i) {
    subscribers_.push_back(std::make_unique<Deaf>(federation_, peer(0)));
    subscribers_.back()->subscribe(other_records());
  }
  Deaf good(federation_, peer(1));
  good.subscribe();
  for (int i = 0; i < 10; ++i) good.read();
  EXPECT_TRUE(good.got_all());
}

TEST_F(WatchBoundsTest, who_waits_goes_on_when_those_that_read_nothing_are_cut) {
  fill(2);
  for (int i = 0; i < 100; ++i) {
    subscribers_.push_back(std::make_unique<Deaf>(federation_, peer(i % 10)));
    subscribers_.back()->subscribe(other_records());
  }
  Deaf good(federation_, peer(11));
  good.subscribe();
  EXPECT_THAT(good.port->sent, IsEmpty()) << "there is no room";
  // those that waited before it get the room first, and read nothing either
  for (int round = 0; round < 3; ++round) {
    beat(WatchSession::kPressedPatience);
    for (auto& subscriber : subscribers_) {
      if (subscriber && subscriber->port->aborted) subscriber.reset();  // gRPC tells that the stream has ended
    }
  }
  EXPECT_GT(counters().cut, 80U);
  for (int i = 0; i < 10; ++i) good.read();
  EXPECT_TRUE(good.got_all());
}

TEST_F(WatchBoundsTest, who_reads_nothing_for_30_s_is_cut) {
  fill(2);
  Deaf deaf(federation_, peer(0));
  deaf.subscribe(other_records());
  beat(29s);
  EXPECT_FALSE(deaf.port->aborted);
  beat(1s);
  EXPECT_TRUE(deaf.port->aborted);
}

TEST_F(WatchBoundsTest, who_does_not_read_its_goodbye_is_cut) {
  Deaf deaf(federation_, peer(0));
  deaf.subscribe();
  deaf.subscribe();
  EXPECT_TRUE(deaf.session->ended());
  beat(WatchSession::kLongestEnd);
  EXPECT_TRUE(deaf.port->aborted);
}

// A reader that stops held all parts that the others had read: the whole mesh.
TEST_F(WatchBoundsTest, a_slow_reader_does_not_hold_what_the_others_have_read) {
  fill(40);
  const auto transfer = federation_.feed().snapshot(clock_.now());
  Transfer::Reader slow(transfer);
  Transfer::Reader fast(transfer);
  static_cast<void>(slow.next(clock_.now()));
  while (!fast.done()) {
    static_cast<void>(fast.next(clock_.now()));
    EXPECT_LE(transfer->held_parts(), Transfer::kMostHeldParts);
  }
  EXPECT_TRUE(slow.lost());
  EXPECT_FALSE(transfer->may_join(clock_.now()));
}

TEST_F(WatchBoundsTest, a_slow_subscriber_gets_a_batch_of_its_own_and_all_of_it) {
  fill(40);
  Deaf slow(federation_, peer(0));
  Deaf fast(federation_, peer(1));
  slow.subscribe();
  fast.subscribe();
  for (int i = 0; i < 60; ++i) fast.read();
  EXPECT_TRUE(fast.got_all());
  EXPECT_FALSE(slow.got_all());
  for (int i = 0; i < 60; ++i) slow.read();
  EXPECT_TRUE(slow.got_all());
  EXPECT_FALSE(slow.port->closed);
}

TEST_F(WatchBoundsTest, a_transfer_that_nobody_can_join_is_forgotten) {
  fill(4);
  Deaf deaf(federation_, peer(0));
  deaf.subscribe();
  const std::weak_ptr<Transfer> held = federation_.feed().snapshot(clock_.now());
  for (int i = 0; i < 10; ++i) deaf.read();
  ASSERT_TRUE(deaf.got_all());
  EXPECT_FALSE(held.expired());
  beat(2s);
  EXPECT_TRUE(held.expired());
}

TEST_F(WatchBoundsTest, a_subscriber_cannot_push_the_serial_round) {
  federation_.catalog.set_serial(1000);
  federation_.feed().set_serial_anchor(1000);
  fill(1);
  const std::uint32_t own = federation_.catalog.serial();
  for (const std::uint32_t ahead : {std::uint32_t{1} << 31, Feed::kMostSerialAhead + 2}) {
    Deaf forger(federation_, peer(0));
    forger.subscribe(other_records(1000 + ahead));
    EXPECT_EQ(federation_.catalog.serial(), own) << ahead;
  }
  EXPECT_GT(counters().clamped, 0U);
  // as often as anybody likes, but never further
  for (int i = 0; i < 10; ++i) {
    Deaf forger(federation_, peer(0));
    forger.subscribe(other_records(federation_.catalog.serial() + Feed::kMostSerialAhead / 4));
  }
  EXPECT_FALSE(catalog::is_newer_serial(federation_.catalog.serial(), 1000 + Feed::kMostSerialAhead + 1));
  EXPECT_TRUE(catalog::is_newer_serial(federation_.catalog.serial(), own));
}

TEST_F(WatchBoundsTest, an_acknowledgement_of_what_was_never_sent_is_no_progress) {
  federation_.report(3);
  federation_.feed().update();
  Deaf subscriber(federation_, peer(0));
  subscriber.subscribe();
  subscriber.read();
  v1::WatchRequest request;
  request.mutable_ack()->mutable_position()->set_revision(~std::uint64_t{0});
  subscriber.session->received(request);
  EXPECT_EQ(subscriber.session->acked(), federation_.feed().head());
  EXPECT_EQ(counters().clamped, 1U);
}

TEST_F(WatchBoundsTest, refusals_without_number_are_a_few_lines_of_the_log) {
  federation_.report(3);
  Deaf subscriber(federation_, peer(0));
  subscriber.subscribe();
  v1::WatchRequest request;
  for (int i = 0; i < 20000; ++i) request.mutable_ack()->add_nacks()->set_key("k");
  testing::internal::CaptureStderr();
  subscriber.session->received(request);
  beat(log::Ration::kInterval);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_LT(std::ranges::count(text, '\n'), 2 * static_cast<int>(log::Ration::kLines));
  EXPECT_NE(text.find("lines=" + std::to_string(20000 - log::Ration::kLines)), std::string::npos) << text;
  EXPECT_EQ(counters().nacks, 20000U);
}

TEST_F(WatchBoundsTest, a_name_has_a_length) {
  Deaf subscriber(federation_, peer(0));
  v1::WatchRequest request;
  request.mutable_subscribe()->set_name(std::string(100000, 'n'));
  subscriber.session->received(request);
  EXPECT_THAT(subscriber.session->name(), SizeIs(WatchSession::kLongestName));
}

}  // namespace
}  // namespace meshdns::federation
