#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "common/rpc/stream_port.h"

namespace meshdns::rpc {

/// Threads that run what was posted, in an order of their own: gRPC's.
class Workers {
 public:
  Workers(int threads, std::uint32_t seed) : random_(seed) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Workers() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    wake_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return ended_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const std::size_t at = std::uniform_int_distribution<std::size_t>(0, queue_.size() - 1)(random_);
      const auto work = std::move(queue_[at]);
      queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(at));
      lock.unlock();
      work();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::minstd_rand random_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

/// Keeps gRPC's rules for a reactor: each operation is completed once, on some thread; a write that nobody reads, and a
/// read while nobody speaks, last until the call is cancelled; OnDone comes after finish(), when all operations and
/// reactions are over. It does not delete itself, but checks that nobody calls it from finish() on.
class FakeReactor {
 public:
  using Stream = StreamPort<FakeReactor, int, int>;
  using Run = std::function<void(std::function<void()>)>;
  enum class Side : std::uint8_t { Server, Client };
  struct Peer {
    int speaks = 0;            // so many messages
    bool reads = true;         // what we write
    bool half_closes = false;  // when it has spoken
  };

  FakeReactor(Side side, Peer peer, Run completions, Post control)
      : side_(side),
        peer_(peer),
        run_(std::move(completions)),
        port_(std::make_shared<Stream>(*this, std::move(control))) {}

  const std::shared_ptr<Stream>& port() const { return port_; }

  // ---- what StreamPort calls ----

  void StartRead(int* message) {  // NOLINT(readability-identifier-naming): gRPC's
    const std::lock_guard lock(mutex_);
    expect_alive();
    EXPECT_EQ(reading_, nullptr) << "two reads at once";
    reading_ = message;
    ++outstanding_;
    if (ended_ || spoken_ < peer_.speaks || peer_.half_closes) complete_read();
  }
  void StartWrite(const int* message) {  // NOLINT(readability-identifier-naming): gRPC's
    const std::lock_guard lock(mutex_);
    expect_alive();
    EXPECT_EQ(writing_, nullptr) << "two writes at once";
    writing_ = message;
    writing_value_ = *message;
    ++outstanding_;
    if (ended_ || peer_.reads) complete_write();
  }
  void cancel() {
    {
      const std::lock_guard lock(mutex_);
      expect_alive();
      end();
    }
    std::this_thread::yield();  // time for a finish() that does not wait for us
    const std::lock_guard lock(mutex_);
    expect_alive();
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(++finishes_, 1);
    if (side_ == Side::Client) end();
    if (reading_ != nullptr) complete_read();  // the call ends: nobody will speak
    done_if_due();
  }

  // ---- what the other end does ----

  void hang_up() {
    post([this] {
      {
        const std::lock_guard lock(mutex_);
        if (done_) return;
        end();
        if (side_ == Side::Client) return;
        ++outstanding_;
      }
      port_->on_cancel();
      reaction_over();
    });
  }

  std::vector<int> written() const {
    const std::lock_guard lock(mutex_);
    return written_;
  }
  int finishes() const {
    const std::lock_guard lock(mutex_);
    return finishes_;
  }
  /// OnDone has run, and no thread is in it any more.
  bool gone() const { return gone_ && tasks_ == 0; }

 private:
  void expect_alive() const { EXPECT_EQ(finishes_, 0) << "called after finish(): OnDone may have deleted it"; }

  void post(std::function<void()> work) {
    ++tasks_;
    run_([this, work = std::move(work)] {
      work();
      --tasks_;
    });
  }

  void end() {
    ended_ = true;
    if (reading_ != nullptr) complete_read();
    if (writing_ != nullptr) complete_write();
  }
  void complete_read() {
    if (std::exchange(read_completing_, true)) return;
    post([this] {
      std::unique_lock lock(mutex_);
      const bool ok = !ended_ && spoken_ < peer_.speaks;
      if (ok) *reading_ = spoken_++;
      reading_ = nullptr;
      read_completing_ = false;
      lock.unlock();
      port_->on_read_done(ok);
      reaction_over();
    });
  }
  void complete_write() {
    if (std::exchange(write_completing_, true)) return;
    post([this] {
      std::unique_lock lock(mutex_);
      const bool ok = !ended_;
      EXPECT_EQ(*writing_, writing_value_) << "a message changed while it was written";
      if (ok) written_.push_back(*writing_);
      writing_ = nullptr;
      write_completing_ = false;
      lock.unlock();
      port_->on_write_done(ok);
      reaction_over();
    });
  }
  void reaction_over() {
    const std::lock_guard lock(mutex_);
    --outstanding_;
    done_if_due();
  }
  void done_if_due() {
    if (finishes_ == 0 || outstanding_ > 0 || std::exchange(done_, true)) return;
    post([this] {
      port_->on_reactor_gone();
      port_->on_done(Error(Code::Unavailable, "the stream ended"));
      gone_ = true;
    });
  }

  const Side side_;
  const Peer peer_;
  const Run run_;
  mutable std::mutex mutex_;
  std::shared_ptr<Stream> port_;
  int* reading_ = nullptr;
  const int* writing_ = nullptr;
  int writing_value_ = 0;
  bool read_completing_ = false;
  bool write_completing_ = false;
  std::vector<int> written_;
  int spoken_ = 0;
  int outstanding_ = 0;
  int finishes_ = 0;
  bool ended_ = false;
  bool done_ = false;
  std::atomic<bool> gone_ = false;
  std::atomic<int> tasks_ = 0;
};

}  // namespace meshdns::rpc
