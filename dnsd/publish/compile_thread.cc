#include "dnsd/publish/compile_thread.h"

#include <utility>

namespace meshdns::publish {
namespace {

// How often the thread tries to free old tables while a reader may still use one.
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

std::uint64_t CompileThread::submit(answers::Update update, Duration renew_for) {
  const std::lock_guard lock(mutex_);
  work_ = {std::move(update), renew_for};
  changed_.notify_all();
  return ++submitted_;
}

CompileThread::Finished CompileThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return finished_.number == submitted_; });
  return finished_;
}

CompileThread::Finished CompileThread::publish(Work work) {
  const TimePoint begun = clock_.now();
  compiler_.begin(work.update);
  const TimePoint put_begun = clock_.now();
  compiler_.put(work.update.put);
  const TimePoint put_done = clock_.now();
  compiler_.renew([&] { return clock_.now() - put_done < work.renew_for; });
  table_.publish(compiler_.finish(work.update));
  Finished out;
  out.cost = clock_.now() - begun;
  out.put_cost = put_done - put_begun;
  out.outdated = compiler_.outdated();
  out.extra_parts = compiler_.extra_parts();
  out.view_counts = compiler_.view_counts();
  return out;
}

void CompileThread::run() {
  std::unique_lock lock(mutex_);
  bool old_tables = false;
  while (!ending_) {
    const auto woken = [&] { return ending_ || work_; };
    // Readers do not report that they are done with a table, so the thread polls while there are old ones.
    if (!old_tables) {
      changed_.wait(lock, woken);
    } else if (!changed_.wait_for(lock, kReclaimInterval, woken)) {
      old_tables = table_.reclaim() > 0;
      continue;
    }
    if (!work_) continue;
    // Without the lock: submit() and wait() of the control thread must not wait for a compile just to get the lock.
    Work work = std::move(*work_);
    work_.reset();
    lock.unlock();
    Finished finished = publish(std::move(work));
    old_tables = table_.reclaim() > 0;
    lock.lock();
    finished.number = finished_.number + 1;
    finished_ = std::move(finished);
    changed_.notify_all();
    done_(finished_);
  }
}

}  // namespace meshdns::publish
