#include "dnsd/app/compile_thread.h"

#include <utility>

namespace meshdns::app {
namespace {

// How soon an old table goes after the last reader has looked away.
constexpr Duration kReclaimInterval = 20ms;

}  // namespace

CompileThread::CompileThread(Quiescent<answers::AnswerTable>& table, const Clock& clock, Done done)
    : table_(table), clock_(clock), done_(std::move(done)), thread_([this] { run(); }) {}

CompileThread::~CompileThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::uint64_t CompileThread::submit(answers::Update update) {
  const std::lock_guard lock(mutex_);
  update_ = std::move(update);
  changed_.notify_all();
  return ++submitted_;
}

CompileThread::Finished CompileThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return finished_.number == submitted_; });
  return finished_;
}

void CompileThread::run() {
  std::unique_lock lock(mutex_);
  bool old_tables = false;
  while (!ending_) {
    const auto woken = [&] { return ending_ || update_; };
    if (!old_tables) {
      changed_.wait(lock, woken);
    } else if (!changed_.wait_for(lock, kReclaimInterval, woken)) {
      old_tables = table_.reclaim() > 0;
      continue;
    }
    if (!update_) continue;
    answers::Update update = std::move(*update_);
    update_.reset();
    lock.unlock();
    const TimePoint begun = clock_.now();
    table_.publish(compiler_.apply(std::move(update)));
    const Duration cost = clock_.now() - begun;
    old_tables = table_.reclaim() > 0;
    lock.lock();
    finished_ = {finished_.number + 1, cost};
    changed_.notify_all();
    done_(finished_);
  }
}

}  // namespace meshdns::app
