// What acknowledgements, and their absence, mean for a subscriber's stream.
#include "dnsd/federation/features.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// A subscriber whose acknowledgements the test says.
class AckTest : public testing::Test {
 protected:
  void changed() { federation_.watchers().changed(); }
  const WatchCounters& counters() { return federation_.watchers().counters(); }
  void subscribe(const std::vector<std::string>& features) {
    v1::WatchRequest request;
    request.mutable_subscribe();
    for (const std::string& feature : features) request.mutable_subscribe()->add_features(feature);
    session_->received(request);
    written();
  }
  void written() {
    std::size_t before = 0;
    do {  // part by part
      before = port_->sent.size();
      port_->in_flight = false;
      session_->pump();
    } while (port_->sent.size() != before);
  }
  /// A change, sent and written if the session may.
  void change() {
    federation_.report(++endpoints_);
    clock_.advance(Watchers::kPace);
    changed();
    written();
  }
  void acknowledge(std::uint64_t revision) {
    v1::WatchRequest request;
    request.mutable_ack()->mutable_position()->set_revision(revision);
    session_->received(request);
    clock_.advance(Watchers::kPace);
    written();
  }
  /// To which revisions the batches lead that were sent since the last call.
  std::vector<std::uint64_t> sent() {
    std::vector<std::uint64_t> out;
    for (const EncodedReply& bytes : port_->take()) {
      if (decoded(bytes).has_batch() && batch_of(bytes).last()) out.push_back(batch_of(bytes).to());
    }
    return out;
  }

  SimClock clock_;
  Federation federation_{clock_};
  std::shared_ptr<test::FakePort<EncodedReply>> port_ = std::make_shared<test::FakePort<EncodedReply>>();
  std::shared_ptr<WatchSession> session_ = federation_.watchers().open(port_, "", identity::Caller::everybody());
  int endpoints_ = 0;
};

TEST_F(AckTest, one_that_acknowledges_each_batch_is_waited_for_and_gets_what_it_missed_as_one) {
  subscribe({});
  for (int i = 0; i < 5; ++i) change();
  EXPECT_THAT(sent(), ElementsAre(0, 1)) << "the snapshot and one delta are unacknowledged";
  acknowledge(0);
  EXPECT_THAT(sent(), ElementsAre(5));
  change();
  EXPECT_THAT(sent(), IsEmpty());
  acknowledge(5);
  EXPECT_THAT(sent(), ElementsAre(6));
}

TEST_F(AckTest, one_that_acknowledges_now_and_then_is_waited_for_when_it_is_late) {
  subscribe({kLazyAck});
  for (int i = 0; i < 20; ++i) change();
  EXPECT_THAT(sent(), SizeIs(21));
  clock_.advance(WatchSession::kLazyAckDue);
  change();
  EXPECT_THAT(sent(), IsEmpty());
  acknowledge(20);
  EXPECT_THAT(sent(), ElementsAre(21));
}

// docs/failures.md E2: a partition that lets only one direction through
TEST_F(AckTest, one_that_never_acknowledges_is_cut) {
  subscribe({kLazyAck});
  federation_.watchers().heartbeat();
  EXPECT_FALSE(port_->aborted);
  clock_.advance(WatchSession::kAckPatience);
  federation_.watchers().heartbeat();
  EXPECT_TRUE(port_->aborted);
  EXPECT_EQ(counters().cut, 1U);
}

TEST_F(AckTest, one_that_reads_nothing_is_cut) {
  port_->hold_writes = true;
  v1::WatchRequest request;
  request.mutable_subscribe();
  session_->received(request);
  clock_.advance(WatchSession::kAckPatience - 1s);
  federation_.watchers().heartbeat();
  EXPECT_FALSE(port_->aborted);
  clock_.advance(WatchSession::kWritePatience);
  federation_.watchers().heartbeat();
  EXPECT_TRUE(port_->aborted);
}

TEST_F(AckTest, heartbeats_in_slices_reach_everybody) {
  std::vector<std::shared_ptr<test::FakePort<EncodedReply>>> ports;
  std::vector<std::shared_ptr<WatchSession>> sessions;
  for (int i = 0; i < 25; ++i) {
    ports.push_back(std::make_shared<test::FakePort<EncodedReply>>());
    sessions.push_back(federation_.watchers().open(ports.back(), "", identity::Caller::everybody()));
    v1::WatchRequest request;
    request.mutable_subscribe();
    sessions.back()->received(request);
    ports.back()->take();
  }
  for (std::size_t i = 0; i < Watchers::kSlices; ++i) federation_.watchers().heartbeat_slice();
  for (const auto& port : ports) EXPECT_THAT(port->sent, testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace meshdns::federation
