// D5: a disk that takes its time delays nobody but the thread that waits for it.
#include "dnsd/store/store_thread.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>

#include "dnsd/store/memory_store.h"

namespace meshdns::store {
namespace {

using Clock = std::chrono::steady_clock;

/// What a slow store and its test see; outlives both.
struct Disk {
  std::mutex mutex;
  std::condition_variable changed;
  bool stuck = false;              // calls wait until it is false
  bool failing = false;            // calls are Unavailable
  int waiting = 0;                 // calls that wait
  std::vector<std::string> calls;  // "objects a b", "records Node/a -Node/b"
  bool destroyed = false;

  void set_stuck(bool value) {
    const std::lock_guard lock(mutex);
    stuck = value;
    changed.notify_all();
  }
  void set_failing(bool value) {
    const std::lock_guard lock(mutex);
    failing = value;
  }
  void wait_until_stuck() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return waiting > 0; });
  }
  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex);
    return calls;
  }
  Result<void> call(const std::string& text) {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [this] { return !stuck; });
    --waiting;
    calls.push_back(text);
    if (failing) return Error{Code::Unavailable, "the disk is full"};
    return {};
  }
};

/// A store whose disk the test holds.
class SlowStore : public MemoryStore {
 public:
  explicit SlowStore(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}
  ~SlowStore() override {
    const std::lock_guard lock(disk_->mutex);
    disk_->destroyed = true;
    disk_->changed.notify_all();
  }
  Result<void> put_objects(const std::vector<StoredObject>& put, const std::vector<std::string>& erase) override {
    std::string text = "objects";
    for (const auto& object : put) text += " " + object.key + "=" + object.body;
    for (const auto& key : erase) text += " -" + key;
    return disk_->call(text);
  }
  Result<void> put_records(const std::vector<StoredRecord>& put, const std::vector<RecordKey>& erase) override {
    std::string text = "records";
    for (const auto& record : put) text += " " + record.type + "/" + record.key + "=" + record.body;
    for (const auto& [type, key] : erase) text += " -" + type + "/" + key;
    return disk_->call(text);
  }

 private:
  std::shared_ptr<Disk> disk_;
};

/// The control thread: the test itself, when it calls run().
class Control {
 public:
  StoreThread::Post post() {
    return [this](std::function<void()> callback) {
      const std::lock_guard lock(mutex_);
      callbacks_.push_back(std::move(callback));
      changed_.notify_all();
    };
  }
  /// Runs callbacks until `count` have run.
  void run(std::size_t count) {
    for (std::size_t done = 0; done < count; ++done) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !callbacks_.empty(); });
      const auto callback = std::move(callbacks_.front());
      callbacks_.erase(callbacks_.begin());
      lock.unlock();
      callback();
    }
  }
  bool idle() {
    const std::lock_guard lock(mutex_);
    return callbacks_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> callbacks_;
};

class StoreThreads : public testing::Test {
 protected:
  void start(Duration patience = StoreThread::kPatience) {
    thread_ = std::make_unique<StoreThread>(std::make_unique<SlowStore>(disk_), control_.post(), patience);
  }
  StoreThread::Done told() {
    return [this](const Result<void>& verdict) { verdicts_.push_back(verdict ? "done" : verdict.error().message()); };
  }
  void record(const std::string& key, const std::string& body) { thread_->put_records({{"Node", key, body, 1}}, {}); }
  /// One write of an object that is stuck, so that everything else waits behind it.
  void get_stuck() {
    disk_->set_stuck(true);
    thread_->put_objects({{"first", "1"}}, {}, {});
    disk_->wait_until_stuck();
  }

  const std::shared_ptr<Disk> disk_ = std::make_shared<Disk>();
  Control control_;
  std::vector<std::string> verdicts_;
  std::unique_ptr<StoreThread> thread_;
};

using Texts = std::vector<std::string>;

TEST_F(StoreThreads, VerdictsComeOnTheControlThread) {
  start();
  thread_->put_objects({{"a", "1"}}, {"b"}, told());
  control_.run(1);
  disk_->set_failing(true);
  thread_->put_objects({}, {"a"}, told());
  control_.run(1);
  EXPECT_EQ(verdicts_, (Texts{"done", "the disk is full"}));
  EXPECT_EQ(disk_->seen(), (Texts{"objects a=1 -b", "objects -a"}));
}

TEST_F(StoreThreads, ASlowDiskDelaysNobodyElse) {
  start();
  get_stuck();
  const auto begin = Clock::now();
  for (int call = 0; call < 100; ++call) thread_->put_objects({{"a", "1"}}, {}, told());
  for (int call = 0; call < 1000; ++call) record("n" + std::to_string(call), "up");
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(1));
  EXPECT_TRUE(control_.idle());
  disk_->set_stuck(false);
  control_.run(100);
  EXPECT_EQ(verdicts_, Texts(100, "done"));
}

TEST_F(StoreThreads, RecordsMergePerKeyWhileAWriteIsOutstanding) {
  start();
  get_stuck();
  for (int version = 0; version < 100; ++version) record("a", std::to_string(version));
  record("b", "1");
  thread_->put_records({}, {{"Node", "b"}, {"Node", "c"}});
  thread_->put_records({{"Node", "c", "again", 1}}, {{"Node", "c"}}, told());
  disk_->set_stuck(false);
  control_.run(1);
  EXPECT_EQ(disk_->seen(), (Texts{"objects first=1", "records Node/a=99 Node/c=again -Node/b"}));
}

TEST_F(StoreThreads, RecordsThatCouldNotBeWrittenGoWithTheNextCall) {
  start();
  disk_->set_failing(true);
  thread_->put_records({{"Node", "a", "old", 1}, {"Node", "b", "kept", 1}}, {{"Node", "c"}}, told());
  control_.run(1);
  disk_->set_failing(false);
  thread_->put_records({{"Node", "a", "new", 1}}, {}, told());
  control_.run(1);
  thread_->put_records({}, {}, told());
  control_.run(1);
  EXPECT_EQ(verdicts_, (Texts{"the disk is full", "done", "done"}));
  EXPECT_EQ(disk_->seen(), (Texts{"records Node/a=old Node/b=kept -Node/c", "records Node/a=new Node/b=kept -Node/c"}));
}

TEST_F(StoreThreads, WhatWaitsIsBounded) {
  start();
  get_stuck();
  for (std::size_t call = 0; call < StoreThread::kMaxObjectWrites; ++call) thread_->put_objects({}, {"x"}, {});
  thread_->put_objects({}, {"one too many"}, told());
  std::vector<RecordKey> keys;
  for (std::size_t key = 0; key < StoreThread::kMaxRecordKeys; ++key) keys.emplace_back("Node", std::to_string(key));
  thread_->put_records({}, keys);
  thread_->put_records({}, {{"Node", "one too many"}}, told());
  control_.run(2);
  EXPECT_EQ(verdicts_, Texts(2, "too many writes wait for the store"));
  disk_->set_stuck(false);
}

TEST_F(StoreThreads, TheEndWritesWhatIsQueued) {
  start();
  get_stuck();
  thread_->put_objects({{"second", "2"}}, {}, told());
  record("a", "1");
  const auto release = std::async(std::launch::async, [this] { disk_->set_stuck(false); });
  thread_.reset();
  EXPECT_EQ(disk_->seen(), (Texts{"objects first=1", "records Node/a=1", "objects second=2"}));
  EXPECT_TRUE(disk_->destroyed) << "the file is closed when the end has been waited for";
}

TEST_F(StoreThreads, TheEndIsNotWaitedForWithoutLimit) {
  start(std::chrono::milliseconds(50));
  get_stuck();
  thread_->put_objects({{"second", "2"}}, {}, told());
  const auto begin = Clock::now();
  thread_.reset();
  EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(50));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(1));
  disk_->set_stuck(false);
  std::unique_lock lock(disk_->mutex);
  disk_->changed.wait(lock, [this] { return disk_->destroyed; });
  EXPECT_EQ(disk_->calls, Texts{"objects first=1"});
  EXPECT_TRUE(control_.idle());
}

}  // namespace
}  // namespace meshdns::store
