#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace meshdns::snapshot_file {

/// Runs functions in order on a thread of its own. The queue has no bound: the owner must not hand over more work while
/// earlier work waits for a slow disk.
/// thread: that of its owner
class WorkerThread {
 public:
  WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;
  /// Waits until all work is done.
  ~WorkerThread();

  /// Queues `work`. The function is also destroyed on the worker's thread, so that it may own what that thread uses.
  void run(std::function<void()> work);
  /// Blocks until all queued work is done.
  void wait();

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool busy_ = false;
  bool ending_ = false;
  std::thread thread_;  // last: uses the members above
};

}  // namespace meshdns::snapshot_file
