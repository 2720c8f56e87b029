#include "dnsd/snapshot_file/snapshot_keeper.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"

namespace meshdns::snapshot_file {

SnapshotKeeper::Blocks one_block(std::string bytes) {
  return [left = std::optional<std::string>(std::move(bytes))]() mutable { return std::exchange(left, std::nullopt); };
}

SnapshotKeeper::SnapshotKeeper(Timers& timers, const Clock& clock, Post post, Options options)
    : timers_(timers), clock_(clock), post_(std::move(post)), options_(std::move(options)), file_(options_.path) {}

SnapshotKeeper::~SnapshotKeeper() {
  *self_ = nullptr;  // steps that the writer posts from now on do nothing: the loop below makes the slices
  if (pause_) timers_.cancel(*pause_);
  if (timer_) {
    timers_.cancel(*timer_);
    begin();
  }
  while (write_ && write_->more) {
    worker_.wait();
    slice();
  }
}

Duration SnapshotKeeper::delay() const {
  if (!saved_) return std::min(kFirst, options_.interval);
  return std::max(options_.interval, kLeisure * cost_);
}

void SnapshotKeeper::save_later() {
  if (timer_) return;
  timer_ = timers_.after(delay(), [this] {
    timer_.reset();
    if (write_) return save_later();  // one write at a time
    begin();
  });
}

void SnapshotKeeper::begin() {
  saved_ = true;
  // a write that begins again counts with all that it has cost, or constant restarts would look cheap
  const Duration spent = write_ ? write_->cost : Duration::zero();
  write_ = Write{};
  write_->cost = spent;
  write_->version = version();
  write_->blocks = options_.blocks();
  write_->answers = options_.answers ? options_.answers() : nullptr;
  write_->complete = !options_.answers || write_->answers != nullptr;
  worker_.run([this, now = clock_.unix_seconds()] { open(now); });
  slice();
}

void SnapshotKeeper::slice() {
  pause_.reset();
  if (version() != write_->version) return begin();
  const TimePoint start = clock_.now();
  std::string bytes;
  do {
    auto block = write_->blocks();
    write_->more = block.has_value();
    if (block) bytes += *block;
  } while (write_->more && clock_.now() - start < options_.slice);
  write_->cost += clock_.now() - start;
  worker_.run([this, bytes = std::move(bytes)] { append(bytes); });
  if (write_->more) return then(&SnapshotKeeper::rest);
  worker_.run([this, answers = std::move(write_->answers)] { finish(answers); });
  then(&SnapshotKeeper::ended);
}

void SnapshotKeeper::rest() {
  if (failed_) return ended();
  pause_ = timers_.after(options_.slice, [this] { slice(); });
}

void SnapshotKeeper::then(void (SnapshotKeeper::*step)()) {
  worker_.run([self = self_, &post = post_, step] {
    post([self, step] {
      if (*self != nullptr) ((*self)->*step)();
    });
  });
}

void SnapshotKeeper::ended() {
  cost_ = write_->cost;
  const bool complete = write_->complete;
  write_.reset();
  ++writes_;
  // without its answers the snapshot is good, but the next start would be slow: try again when they can be pinned
  if (failed_ || !complete) save_later();
}

void SnapshotKeeper::open(std::int64_t unix_seconds) {
  failed_ = false;
  writer_.reset();  // first: its destructor removes the unfinished file, whose name the new one has
  auto writer = file_.write(unix_seconds);
  if (!writer) return failed(writer.error());
  writer_.emplace(std::move(*writer));
}

void SnapshotKeeper::append(const std::string& bytes) {
  if (!writer_) return;
  if (const auto written = writer_->append(bytes); !written) failed(written.error());
}

void SnapshotKeeper::finish(const std::shared_ptr<publish::PinnedTable>& answers) {
  if (!writer_) return;
  const auto checksum = writer_->finish();
  if (!checksum) return failed(checksum.error());
  writer_.reset();
  if (reminder_.ends()) log::info("snapshot written again");
  if (answers != nullptr) options_.keep_answers(*answers->get(), *checksum);
}

void SnapshotKeeper::failed(const Error& why) {
  failed_ = true;
  writer_.reset();
  if (reminder_.due(clock_.now())) log::error("snapshot not written", {{"problem", why}});
}

}  // namespace meshdns::snapshot_file
