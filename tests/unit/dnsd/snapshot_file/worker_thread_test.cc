// Work on a thread of its own: in order, all of it, destroyed there.
#include "dnsd/snapshot_file/worker_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace meshdns::snapshot_file {
namespace {

using testing::ElementsAre;

TEST(WorkerThreadTest, RunsInOrderAndIsWaitedFor) {
  std::vector<int> done;
  WorkerThread thread;
  for (const int number : {1, 2, 3}) thread.run([&, number] { done.push_back(number); });
  thread.wait();
  EXPECT_THAT(done, ElementsAre(1, 2, 3));
  thread.wait();
  thread.run([&] { done.push_back(4); });
  thread.wait();
  EXPECT_THAT(done, ElementsAre(1, 2, 3, 4));
}

TEST(WorkerThreadTest, TheEndWaitsForAllWork) {
  std::vector<int> done;
  std::promise<void> go;
  std::thread other;
  {
    WorkerThread thread;
    thread.run([&] {
      go.get_future().wait();
      done.push_back(1);
    });
    thread.run([&] { done.push_back(2); });
    other = std::thread([&] { go.set_value(); });
  }
  other.join();
  EXPECT_THAT(done, ElementsAre(1, 2));
}

TEST(WorkerThreadTest, WorkIsDestroyedOnTheThread) {
  std::promise<std::thread::id> where;
  WorkerThread thread;
  const auto told = [&](int* value) {
    delete value;
    where.set_value(std::this_thread::get_id());
  };
  thread.run([held = std::shared_ptr<int>(new int(1), told)] { EXPECT_EQ(*held, 1); });
  thread.wait();
  EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
}

TEST(WorkerThreadTest, EndsWithoutWork) {
  std::optional<WorkerThread> thread(std::in_place);
  thread.reset();
}

}  // namespace
}  // namespace meshdns::snapshot_file
