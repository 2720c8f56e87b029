#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace meshdns::snapshot_file {

/// Runs what it is handed, in order, on a thread of its own.
/// thread: that of its owner
class WorkerThread {
 public:
  WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;
  /// Waits until all work is done.
  ~WorkerThread();

  /// The work is destroyed on the thread too.
  void run(std::function<void()> work);
  /// Blocks until all work so far is done.
  void wait();

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool busy_ = false;
  bool ending_ = false;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace meshdns::snapshot_file
