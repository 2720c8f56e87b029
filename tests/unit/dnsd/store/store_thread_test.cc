// D5: a disk that takes its time delays nobody but the thread that waits for it. All of it with the default rows a
// transaction, and with one.
#include "dnsd/store/store_thread.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>

#include "dnsd/store/memory_store.h"

namespace meshdns::store {
namespace {

using Clock = std::chrono::steady_clock;

/// What a slow store and its test see; outlives both.
struct Disk {
  std::mutex mutex;
  std::condition_variable changed;
  bool stuck = false;                       // calls wait until it is false
  bool failing = false;                     // calls are Unavailable
  bool stick_at_rows = false;               // the next call of records waits
  int waiting = 0;                          // calls that wait
  int fail_after_rows = -1;                 // so many calls of records succeed, then one fails
  std::map<std::string, std::string> rows;  // of records, by key
  std::vector<std::string> calls;           // "objects a b", "records Node/a -Node/b"
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
  void wait_until_stuck_at_rows() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return waiting > 0 && stuck; });
  }
  Result<void> call_rows(const std::string& text, const std::vector<StoredRecord>& put) {
    {
      const std::lock_guard lock(mutex);
      if (std::exchange(stick_at_rows, false)) stuck = true;
    }
    if (auto done = call(text); !done) return done;
    const std::lock_guard lock(mutex);
    if (fail_after_rows == 0) {
      fail_after_rows = -1;
      return Error{Code::Unavailable, "the disk is full"};
    }
    if (fail_after_rows > 0) --fail_after_rows;
    for (const StoredRecord& record : put) rows[record.key] = record.body;
    return {};
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
    return disk_->call_rows(text, put);
  }

 private:
  std::shared_ptr<Disk> disk_;
};

/// The control thread: the test itself, when it calls run().
class Control {
 public:
  Post post() {
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

/// Rows of a transaction.
class StoreThreads : public testing::TestWithParam<std::size_t> {
 protected:
  void start(Duration patience = StoreThread::kPatience) {
    thread_ = std::make_unique<StoreThread>(std::make_unique<SlowStore>(disk_), control_.post(),
                                            StoreThread::Limits{patience, GetParam()});
  }
  /// The calls that the disk saw. Of transactions that follow on each other only the rows are told, in their order.
  std::vector<std::string> seen() {
    const std::string records = "records";
    std::vector<std::string> calls;
    for (const std::string& call : disk_->seen()) {
      const bool goes_on = !calls.empty() && calls.back().starts_with(records) && call.starts_with(records);
      goes_on ? void(calls.back() += call.substr(records.size())) : calls.push_back(call);
    }
    return calls;
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

TEST_P(StoreThreads, VerdictsComeOnTheControlThread) {
  start();
  thread_->put_objects({{"a", "1"}}, {"b"}, told());
  control_.run(1);
  disk_->set_failing(true);
  thread_->put_objects({}, {"a"}, told());
  control_.run(1);
  EXPECT_EQ(verdicts_, (Texts{"done", "the disk is full"}));
  EXPECT_EQ(seen(), (Texts{"objects a=1 -b", "objects -a"}));
}

TEST_P(StoreThreads, ASlowDiskDelaysNobodyElse) {
  start();
  get_stuck();
  const auto begin = Clock::now();
  for (int call = 0; call < 100; ++call) thread_->put_objects({{"a", "1"}}, {}, told());
  for (int call = 0; call < 1000; ++call) record("n" + std::to_string(call), "up");
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(30)) << "the calls do not wait: the disk is stuck for good";
  EXPECT_TRUE(control_.idle());
  disk_->set_stuck(false);
  control_.run(100);
  EXPECT_EQ(verdicts_, Texts(100, "done"));
}

TEST_P(StoreThreads, RecordsMergePerKeyWhileAWriteIsOutstanding) {
  start();
  get_stuck();
  for (int version = 0; version < 100; ++version) record("a", std::to_string(version));
  record("b", "1");
  thread_->put_records({}, {{"Node", "b"}, {"Node", "c"}});
  thread_->put_records({{"Node", "c", "again", 1}}, {{"Node", "c"}}, told());
  disk_->set_stuck(false);
  control_.run(1);
  EXPECT_EQ(seen(), (Texts{"objects first=1", GetParam() > 1 ? "records Node/a=99 Node/c=again -Node/b"
                                                             : "records Node/a=99 -Node/b Node/c=again"}));
}

TEST_P(StoreThreads, RecordsThatCouldNotBeWrittenGoWithTheNextCall) {
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
  EXPECT_EQ(seen(), Texts{GetParam() > 1 ? "records Node/a=old Node/b=kept -Node/c Node/a=new Node/b=kept -Node/c"
                                         : "records Node/a=old Node/a=new Node/b=kept -Node/c"});
}

TEST_P(StoreThreads, ObjectsThatWaitAreBoundedRecordsHaveOneEntryAKey) {
  start();
  get_stuck();
  for (std::size_t call = 0; call < StoreThread::kMaxObjectWrites; ++call) thread_->put_objects({}, {"x"}, {});
  thread_->put_objects({}, {"one too many"}, told());
  control_.run(1);
  EXPECT_EQ(verdicts_, Texts{"too many writes wait for the store"});
  for (int version = 0; version < 300'000; ++version) {
    thread_->put_records({{"Node", std::to_string(version % 3), std::to_string(version), 1}}, {}, {});
  }
  thread_->put_records({}, {}, told());
  disk_->set_stuck(false);
  control_.run(1);
  EXPECT_EQ(verdicts_.back(), "done") << "a queue is no failure";
  EXPECT_EQ(disk_->rows, (std::map<std::string, std::string>{{"0", "299997"}, {"1", "299998"}, {"2", "299999"}}));
}

TEST_P(StoreThreads, ObjectsGoBetweenTwoTransactions) {
  start();
  get_stuck();
  record("a", "1");
  record("b", "1");
  record("c", "1");
  disk_->stick_at_rows = true;
  disk_->set_stuck(false);
  disk_->wait_until_stuck_at_rows();
  thread_->put_objects({{"urgent", "1"}}, {}, told());
  disk_->set_stuck(false);
  control_.run(1);
  const bool all_at_once = GetParam() > 1;
  const Texts one{"objects first=1", "records Node/a=1 Node/b=1 Node/c=1", "objects urgent=1"};
  const Texts two{"objects first=1", "records Node/a=1", "objects urgent=1"};
  auto calls = seen();
  calls.resize(3);
  EXPECT_EQ(calls, all_at_once ? one : two);
}

TEST_P(StoreThreads, WhatFailsHalfwayIsWrittenWithTheNextCall) {
  start();
  get_stuck();
  record("a", "1");
  record("b", "1");
  thread_->put_records({{"Node", "c", "1", 1}}, {}, told());
  disk_->fail_after_rows = 1;
  disk_->set_stuck(false);
  control_.run(1);
  EXPECT_EQ(verdicts_, Texts{GetParam() > 1 ? "done" : "the disk is full"});
  thread_->put_records({{"Node", "b", "2", 1}}, {}, told());
  control_.run(1);
  EXPECT_EQ(verdicts_.back(), GetParam() > 1 ? "the disk is full" : "done");
  thread_->put_records({}, {}, told());
  control_.run(1);
  EXPECT_EQ(verdicts_.back(), "done");
  EXPECT_EQ(disk_->rows, (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}, {"c", "1"}}));
}

TEST_P(StoreThreads, TheEndWritesWhatIsQueued) {
  start();
  get_stuck();
  thread_->put_objects({{"second", "2"}}, {}, told());
  record("a", "1");
  const auto release = std::async(std::launch::async, [this] { disk_->set_stuck(false); });
  thread_.reset();
  EXPECT_EQ(seen(), (Texts{"objects first=1", "records Node/a=1", "objects second=2"}));
  EXPECT_TRUE(disk_->destroyed) << "the file is closed when the end has been waited for";
}

TEST_P(StoreThreads, TheEndIsNotWaitedForWithoutLimit) {
  start(std::chrono::milliseconds(50));
  get_stuck();
  thread_->put_objects({{"second", "2"}}, {}, told());
  const auto begin = Clock::now();
  thread_.reset();
  EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(50));
  disk_->set_stuck(false);
  std::unique_lock lock(disk_->mutex);
  disk_->changed.wait(lock, [this] { return disk_->destroyed; });
  EXPECT_EQ(disk_->calls, Texts{"objects first=1"});
  EXPECT_TRUE(control_.idle());
}

INSTANTIATE_TEST_SUITE_P(DefaultRows, StoreThreads, testing::Values(StoreThread::kRows));
INSTANTIATE_TEST_SUITE_P(OneRow, StoreThreads, testing::Values(1));

}  // namespace
}  // namespace meshdns::store
