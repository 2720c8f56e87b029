#include "common/rpc/stream_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/unit/common/rpc/fake_reactor.h"

namespace meshdns::rpc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Side = FakeReactor::Side;

/// What is posted to a thread, run when it has time.
class Inbox {
 public:
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    wake_.notify_one();
  }
  /// False = nothing was there.
  bool run_one() {
    std::unique_lock lock(mutex_);
    if (queue_.empty()) return false;
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    return true;
  }
  void wait_for_work() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return !queue_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
};

/// A stream and what its session saw of it.
class Scene {
 public:
  Scene(Side side, FakeReactor::Peer peer, FakeReactor::Run completions)
      : reactor_(side, peer, std::move(completions),
                 [this](std::function<void()> work) { inbox_.post(std::move(work)); }),
        port_(reactor_.port()) {
    StreamEvents<int> events;
    events.received = [this](int message) {
      EXPECT_EQ(closed_, 0) << "received after closed";
      received_.push_back(message);
      ++to_read_;
    };
    events.written = [this] {
      EXPECT_EQ(closed_, 0) << "written after closed";
      ++written_;
    };
    events.closed = [this](const Error& why) {
      ++closed_;
      EXPECT_EQ(why.code(), Code::Unavailable);
    };
    port_->set_events(std::move(events));
  }

  void read_next() {
    if (to_read_ == 0) return;  // not before the one before was handled
    --to_read_;
    port_->read_next();
  }
  void send() { port_->send(sent_++); }
  /// Whatever a session may do after the end.
  void touch_the_closed() {
    send();
    port_->read_next();
    port_->abort();
    port_->close();
  }

  Inbox inbox_;
  FakeReactor reactor_;
  const std::shared_ptr<FakeReactor::Stream> port_;
  std::vector<int> received_;
  int sent_ = 0;
  int to_read_ = 1;
  int written_ = 0;
  int closed_ = 0;
};

std::vector<int> first_numbers(std::size_t count) {
  std::vector<int> out(count);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

// ---- one thread: completions when the test says so ----

class StreamPortTest : public testing::Test {
 protected:
  void make(Side side, FakeReactor::Peer peer) {
    scene_ = std::make_unique<Scene>(side, peer, [this](std::function<void()> work) { grpc_.post(std::move(work)); });
  }
  void run_grpc() {
    while (grpc_.run_one()) {
    }
  }
  void run_all() {
    while (grpc_.run_one() || scene_->inbox_.run_one()) {
    }
  }
  void expect_ended() {
    run_all();
    EXPECT_EQ(scene_->reactor_.finishes(), 1);
    EXPECT_TRUE(scene_->reactor_.gone());
    EXPECT_EQ(scene_->closed_, 1);
    scene_->touch_the_closed();
    run_all();
    EXPECT_EQ(scene_->closed_, 1);
  }

  Inbox grpc_;
  std::unique_ptr<Scene> scene_;
};

TEST_F(StreamPortTest, a_message_comes_for_each_read_next) {
  make(Side::Server, {.speaks = 3});
  run_all();
  EXPECT_THAT(scene_->received_, IsEmpty());
  for (int i = 0; i < 3; ++i) {
    scene_->read_next();
    run_all();
  }
  EXPECT_THAT(scene_->received_, ElementsAre(0, 1, 2));
}

TEST_F(StreamPortTest, messages_are_written_in_order_and_then_it_says_so) {
  make(Side::Client, {});
  for (int i = 0; i < 3; ++i) scene_->send();
  EXPECT_FALSE(scene_->port_->drained());
  run_all();
  EXPECT_TRUE(scene_->port_->drained());
  EXPECT_EQ(scene_->reactor_.written(), first_numbers(3));
  EXPECT_EQ(scene_->written_, 1);
}

TEST_F(StreamPortTest, close_lets_the_queue_out_first) {
  for (const Side side : {Side::Server, Side::Client}) {
    make(side, {});
    for (int i = 0; i < 3; ++i) scene_->send();
    scene_->read_next();
    scene_->port_->close();
    scene_->send();  // too late
    expect_ended();
    EXPECT_EQ(scene_->reactor_.written(), first_numbers(3));
  }
}

TEST_F(StreamPortTest, close_ends_an_idle_stream) {
  for (const Side side : {Side::Server, Side::Client}) {
    make(side, {});
    scene_->read_next();
    scene_->port_->close();
    expect_ended();
  }
}

TEST_F(StreamPortTest, abort_ends_a_stream_whose_peer_neither_reads_nor_speaks) {
  for (const Side side : {Side::Server, Side::Client}) {
    make(side, {.reads = false});
    scene_->read_next();
    for (int i = 0; i < 3; ++i) scene_->send();
    run_all();
    EXPECT_EQ(scene_->closed_, 0);
    scene_->port_->abort();
    expect_ended();
    EXPECT_THAT(scene_->reactor_.written(), IsEmpty());
  }
}

TEST_F(StreamPortTest, abort_ends_what_close_could_not) {
  for (const Side side : {Side::Server, Side::Client}) {
    make(side, {.reads = false});
    scene_->send();
    scene_->port_->close();
    run_all();
    EXPECT_EQ(scene_->closed_, 0);
    scene_->port_->abort();
    expect_ended();
  }
}

TEST_F(StreamPortTest, a_peer_that_hangs_up_ends_it) {
  for (const Side side : {Side::Server, Side::Client}) {
    make(side, {});
    scene_->read_next();
    scene_->reactor_.hang_up();
    expect_ended();
  }
}

// Guards the reactor, which is gone as soon as OnDone has run, before the session hears of it.
TEST_F(StreamPortTest, nobody_calls_the_reactor_after_its_end) {
  for (const Side side : {Side::Server, Side::Client}) {
    make(side, {});
    scene_->read_next();
    scene_->reactor_.hang_up();
    run_grpc();
    ASSERT_TRUE(scene_->reactor_.gone());
    EXPECT_EQ(scene_->closed_, 0);
    scene_->touch_the_closed();
    expect_ended();
  }
}

// Guards the window between finish() and OnDone, in which gRPC may delete the reactor at any moment.
TEST_F(StreamPortTest, an_abort_after_the_finish_leaves_the_reactor_alone) {
  make(Side::Server, {});
  scene_->port_->close();
  ASSERT_EQ(scene_->reactor_.finishes(), 1);
  scene_->port_->abort();  // the reactor checks
  expect_ended();
}

// Guards against a peer that says its last word and then does not read.
TEST_F(StreamPortTest, a_peer_that_closes_its_half_ends_the_stream) {
  for (const bool reads : {true, false}) {
    make(Side::Server, {.reads = reads, .half_closes = true});
    scene_->send();
    scene_->read_next();
    expect_ended();
  }
}

// Guards memory, and against a stream that nothing ends: a full queue means that the peer does not read.
TEST_F(StreamPortTest, a_peer_that_lets_the_queue_fill_is_cut_off) {
  for (const Side side : {Side::Server, Side::Client}) {
    make(side, {.reads = false});
    for (std::size_t i = 0; i < FakeReactor::Stream::kMostQueued + 1; ++i) scene_->send();
    run_all();
    EXPECT_EQ(scene_->closed_, 0);
    scene_->send();
    expect_ended();
  }
}

// ---- many threads ----

/// One stream with everything at once: completions on three threads, the session on this one.
void run_randomly(std::uint32_t seed, Workers& workers) {
  std::minstd_rand random(seed);
  const auto below = [&](int end) { return std::uniform_int_distribution(0, end - 1)(random); };
  const FakeReactor::Peer peer{.speaks = below(6), .reads = below(4) != 0, .half_closes = below(4) == 0};
  Scene scene(below(2) == 0 ? Side::Server : Side::Client, peer,
              [&workers](std::function<void()> work) { workers.post(std::move(work)); });
  for (int i = below(30); i > 0; --i) {
    switch (below(14)) {
      case 0: scene.port_->close(); break;
      case 1: scene.reactor_.hang_up(); break;
      case 2: scene.port_->abort(); break;
      case 3: std::this_thread::yield(); break;
      case 4:
      case 5:
      case 6: scene.read_next(); break;
      case 7:
      case 8:
      case 9: scene.send(); break;
      default: scene.inbox_.run_one();
    }
  }
  scene.port_->abort();
  while (scene.closed_ == 0) {
    scene.inbox_.wait_for_work();
    scene.inbox_.run_one();
  }
  scene.touch_the_closed();
  while (scene.inbox_.run_one()) {
  }
  EXPECT_EQ(scene.closed_, 1);
  EXPECT_EQ(scene.reactor_.finishes(), 1);
  EXPECT_EQ(scene.received_, first_numbers(scene.received_.size()));
  const auto written = scene.reactor_.written();
  EXPECT_EQ(written, first_numbers(written.size()));
  while (!scene.reactor_.gone()) std::this_thread::yield();
}

TEST(StreamPort, ends_exactly_once_whatever_happens_when) {
  Workers workers(3, 1);
  for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run_randomly(seed, workers);
    if (testing::Test::HasFailure()) FAIL() << "stopped";
  }
}

/// Counts what is asked of it.
struct CountingReactor {
  void StartRead(int* into) {
    ++reads;
    incoming = into;
  }
  void StartWrite(const int*) {}
  void cancel() {}
  void finish() {}

  int reads = 0;
  int* incoming = nullptr;
};

// Guards the rule that one read at most is outstanding.
TEST(ReadAheadTest, a_read_ahead_stands_for_the_first_read_next) {
  CountingReactor reactor;
  std::vector<int> received;
  const auto port = std::make_shared<StreamPort<CountingReactor, int, int>>(
      reactor, [](const std::function<void()>& work) { work(); });
  StreamEvents<int> events;
  events.received = [&](int message) { received.push_back(message); };
  events.written = [] {};
  events.closed = [](const Error&) {};
  port->set_events(std::move(events));
  port->read_ahead();
  EXPECT_EQ(reactor.reads, 1);
  *reactor.incoming = 7;
  port->on_read_done(true);
  port->read_next();
  EXPECT_EQ(reactor.reads, 1);
  EXPECT_THAT(received, ElementsAre(7));
  port->read_next();
  EXPECT_EQ(reactor.reads, 2);
  port->on_reactor_gone();
}

}  // namespace
}  // namespace meshdns::rpc
