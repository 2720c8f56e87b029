// The thread that compiles: one update after the other, whatever changes meanwhile and whenever it ends.
#include "dnsd/publish/compile_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace meshdns::publish {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A clock that stops whoever compiles: the compile thread asks what time it is when it begins.
class Gate : public Clock {
 public:
  TimePoint now() const override {
    std::unique_lock lock(mutex_);
    ++asked_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    return TimePoint(1h);
  }
  std::int64_t unix_seconds() const override { return 0; }

  void close() {
    const std::lock_guard lock(mutex_);
    asked_ = 0;
    open_ = false;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// Blocks until somebody waits at the gate.
  void wait_for_arrival() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return asked_ > 0; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable int asked_ = 0;
  bool open_ = true;
};

answers::Update update(std::uint32_t serial) {
  answers::AnswerSettings settings;
  settings.zones.push_back({"mesh.internal", {}, ""});
  settings.listeners.push_back({"10.0.9.1:53", {}});
  answers::Update out;
  out.base = answers::make_base(settings, {});
  out.locator.emplace();
  out.clusters.emplace();
  out.serial = serial;
  return out;
}

class CompileThreadTest : public testing::Test {
 protected:
  void start() {
    thread_.emplace(table_, gate_, [this](const CompileThread::Finished& finished) {
      const std::lock_guard lock(mutex_);
      done_.push_back(finished.number);
    });
  }
  void stop() { thread_.reset(); }
  std::vector<std::uint64_t> done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  /// Of the published table; 0 = there is none.
  std::uint32_t serial() {
    const answers::AnswerTable* table = reader_.read();
    const std::uint32_t out = table == nullptr ? 0 : table->serial;
    reader_.offline();
    return out;
  }

  Gate gate_;
  Quiescent<answers::AnswerTable> table_;
  Quiescent<answers::AnswerTable>::Reader reader_{table_};
  std::mutex mutex_;
  std::vector<std::uint64_t> done_;
  std::optional<CompileThread> thread_;
};

TEST_F(CompileThreadTest, EndsWithoutWork) {
  start();
  EXPECT_EQ(thread_->wait().number, 0U) << "nothing was submitted";
  stop();
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(serial(), 0U);
}

TEST_F(CompileThreadTest, PublishesOneUpdateAfterTheOther) {
  start();
  EXPECT_EQ(thread_->submit(update(11)), 1U);
  EXPECT_EQ(thread_->wait().number, 1U);
  EXPECT_EQ(serial(), 11U);
  EXPECT_EQ(thread_->submit(update(12)), 2U);
  EXPECT_EQ(thread_->wait().number, 2U);
  EXPECT_EQ(serial(), 12U);
  stop();
  EXPECT_THAT(done(), ElementsAre(1, 2));
}

TEST_F(CompileThreadTest, WhoReadsMeanwhileKeepsTheTableBefore) {
  start();
  thread_->submit(update(11));
  thread_->wait();
  const answers::AnswerTable* before = reader_.read();
  gate_.close();
  thread_->submit(update(12));
  gate_.wait_for_arrival();
  EXPECT_EQ(reader_.read(), before) << "a table that is being compiled is not published";
  gate_.open();
  thread_->wait();
  EXPECT_EQ(before->serial, 11U) << "it is not freed while it is read";
  EXPECT_EQ(serial(), 12U);
}

TEST_F(CompileThreadTest, AnUpdateThatIsBeingCompiledIsPublishedBeforeTheEnd) {
  start();
  gate_.close();
  thread_->submit(update(11));
  gate_.wait_for_arrival();
  std::thread opener([this] { gate_.open(); });
  stop();
  opener.join();
  EXPECT_THAT(done(), ElementsAre(1));
  EXPECT_EQ(serial(), 11U);
}

TEST_F(CompileThreadTest, EndsWhileAnOldTableIsStillRead) {
  start();
  thread_->submit(update(11));
  thread_->wait();
  const answers::AnswerTable* before = reader_.read();
  thread_->submit(update(12));
  thread_->wait();
  stop();
  EXPECT_EQ(before->serial, 11U) << "the table's owner frees it, and lives on";
  EXPECT_EQ(serial(), 12U);
}

TEST_F(CompileThreadTest, DoneIsToldOnTheThread) {
  std::promise<std::thread::id> where;
  CompileThread thread(table_, gate_,
                       [&](const CompileThread::Finished&) { where.set_value(std::this_thread::get_id()); });
  thread.submit(update(11));
  EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
}

}  // namespace
}  // namespace meshdns::publish
