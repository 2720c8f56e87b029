#include "dnsd/snapshot_file/worker_thread.h"

#include <utility>

namespace meshdns::snapshot_file {

WorkerThread::WorkerThread() : thread_([this] { loop(); }) {}

WorkerThread::~WorkerThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WorkerThread::run(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
  }
  changed_.notify_all();
}

void WorkerThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !busy_; });
}

void WorkerThread::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    auto work = std::exchange(waiting_.front(), nullptr);
    waiting_.pop_front();
    busy_ = true;
    lock.unlock();
    work();
    work = nullptr;  // before busy_ is false: wait() promises that the function is destroyed, too
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace meshdns::snapshot_file
