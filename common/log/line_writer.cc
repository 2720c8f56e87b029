#include "common/log/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace meshdns::log {
namespace {

using Lines = std::vector<std::string>;

/// Waits until the descriptor can be written to.
/// patience: milliseconds; -1 = without limit
bool takes(int descriptor, int patience) {
  pollfd entry{descriptor, POLLOUT, 0};
  return ::poll(&entry, 1, patience) > 0 && (entry.revents & POLLOUT) != 0;
}

/// Writes the text, and waits while the descriptor is full.
/// returns: how many bytes were written before an error
std::size_t write_all(int descriptor, std::string_view text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t size = ::write(descriptor, text.data() + written, text.size() - written);
    if (size > 0) {
      written += static_cast<std::size_t>(size);
    } else if (size < 0 && errno == EAGAIN) {
      takes(descriptor, -1);  // another process that shares standard error has made it non-blocking
    } else if (size == 0 || errno != EINTR) {
      break;
    }
  }
  return written;
}

}  // namespace

/// The state shared by the writer and its thread; lives until both are gone.
struct LineWriter::Shared {
  Shared(int the_descriptor, Note the_note, Limits the_limits)
      : descriptor(the_descriptor), note(std::move(the_note)), limits(the_limits) {}

  void run();
  void write(const Lines& batch);
  /// returns: false = the line was not written completely
  bool write_line(const std::string& line);
  /// Writes how many lines are missing.
  /// returns: false = the note was not written completely
  bool write_note();

  const int descriptor;
  const Note note;
  const Limits limits;
  // ---- used by the writing thread only ----
  std::uint64_t missing = 0;  // dropped lines that no note has reported yet
  bool broken = false;        // the last line was cut off in the middle
  // ---- guarded by the mutex ----
  std::mutex mutex;
  std::condition_variable changed;
  Lines lines;
  std::size_t bytes = 0;
  std::uint64_t lost = 0;     // lines dropped since the thread last took `lines`
  std::uint64_t dropped = 0;  // all dropped lines
  bool threaded = false;
  bool closing = false;
  bool ended = false;
  std::thread thread;
};

void LineWriter::Shared::run() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return closing || !lines.empty(); });
    if (lines.empty()) break;
    const Lines batch = std::exchange(lines, {});
    bytes = 0;
    const std::uint64_t lost_behind = std::exchange(lost, 0);
    lock.unlock();
    write(batch);
    missing += lost_behind;
    if (missing > 0) write_note();
    lock.lock();
  }
  ended = true;
  changed.notify_all();
}

void LineWriter::Shared::write(const Lines& batch) {
  for (const std::string& line : batch) {
    if ((missing == 0 || write_note()) && write_line(line)) continue;
    ++missing;
    const std::lock_guard lock(mutex);
    ++dropped;
  }
}

bool LineWriter::Shared::write_line(const std::string& line) {
  if (broken && write_all(descriptor, "\n") == 0) return false;
  broken = false;
  const std::size_t written = write_all(descriptor, line);
  broken = written > 0 && written < line.size();
  return written == line.size();
}

bool LineWriter::Shared::write_note() {
  if (!write_line(note(missing))) return false;
  missing = 0;
  return true;
}

LineWriter::LineWriter(int descriptor, Note note, Limits limits)
    : shared_(std::make_shared<Shared>(descriptor, std::move(note), limits)) {}

LineWriter::LineWriter(int descriptor, Note note) : LineWriter(descriptor, std::move(note), {}) {}

LineWriter::~LineWriter() { finish(Duration::zero()); }

Result<void> LineWriter::start() {
  const std::lock_guard lock(shared_->mutex);
  try {
    shared_->thread = std::thread([shared = shared_] { shared->run(); });
  } catch (const std::system_error& error) {
    return Error(Code::Unavailable, std::string("the system gives no thread for the log: ") + error.what());
  }
  shared_->threaded = true;
  return {};
}

bool LineWriter::finish(Duration patience) {
  std::unique_lock lock(shared_->mutex);
  if (!shared_->thread.joinable()) return true;
  shared_->closing = true;
  shared_->changed.notify_all();
  const bool ended = shared_->changed.wait_for(lock, patience, [this] { return shared_->ended; });
  std::thread thread = std::move(shared_->thread);
  lock.unlock();
  if (!thread.joinable()) return ended;  // another call of finish() has taken the thread meanwhile
  if (ended) {
    thread.join();
  } else {
    thread.detach();
  }
  return ended;
}

void LineWriter::put(std::string line) {
  std::unique_lock lock(shared_->mutex);
  if (!shared_->threaded) {
    shared_->write_line(line);
    return;
  }
  const bool last_words = shared_->ended;
  const bool full =
      shared_->lines.size() >= shared_->limits.lines || shared_->bytes + line.size() > shared_->limits.bytes;
  if (last_words ? !takes(shared_->descriptor, 0) : full) {
    ++shared_->lost;
    ++shared_->dropped;
  } else if (last_words) {
    shared_->write_line(line);
  } else {
    shared_->bytes += line.size();
    shared_->lines.push_back(std::move(line));
    shared_->changed.notify_all();
  }
}

std::uint64_t LineWriter::dropped() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->dropped;
}

}  // namespace meshdns::log
