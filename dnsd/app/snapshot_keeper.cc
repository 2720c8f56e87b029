#include "dnsd/app/snapshot_keeper.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"

namespace meshdns::app {

KeptSnapshots load_snapshot(const std::string& path, std::int64_t unix_seconds) {
  const auto found = snapshot_file::SnapshotFile(path).load(unix_seconds);
  KeptSnapshots out{{}, found.problems.size()};
  for (const std::string& problem : found.problems) log::error("snapshot", {{"problem", problem}});
  if (!found.content) return out;
  out.newest = KeptSet{{}, found.age};
  if (out.newest->batch.ParseFromString(*found.content)) return out;
  log::error("snapshot", {{"problem", "its content is no batch"}});
  return {{}, out.damaged + 1};
}

SnapshotKeeper::SnapshotKeeper(process::EventLoop& loop, const Clock& clock, Options options)
    : loop_(loop), clock_(clock), options_(std::move(options)), file_(options_.path) {}

SnapshotKeeper::~SnapshotKeeper() {
  if (retry_) loop_.cancel(*retry_);
  if (timer_) {
    loop_.cancel(*timer_);
    if (writer_.joinable()) writer_.join();
    save();
  }
  if (writer_.joinable()) writer_.join();
}

void SnapshotKeeper::save_later() {
  if (timer_) return;
  timer_ = loop_.after(saved_ ? options_.interval : std::min(kFirst, options_.interval), [this] {
    timer_.reset();
    if (writing_) return save_later();
    if (!save()) save_later();
    if (retry_) loop_.cancel(*retry_);
    retry_ = loop_.after(options_.interval, [this] {
      retry_.reset();
      if (failed_) save_later();
    });
  });
}

bool SnapshotKeeper::save() {
  if (writer_.joinable()) writer_.join();
  saved_ = writing_ = true;
  auto table = options_.answers ? options_.answers() : nullptr;
  const bool complete = !options_.answers || table != nullptr;
  writer_ = std::thread([this, content = options_.whole().SerializeAsString(), now = clock_.unix_seconds(),
                         table = std::move(table)]() mutable {
    write(content, now);
    write_answers(std::exchange(table, nullptr));
    writing_ = false;
  });
  return complete;
}

void SnapshotKeeper::write_answers(const std::shared_ptr<PinnedTable>& table) {
  if (table == nullptr || failed_) return;
  if (const auto checksum = file_.checksum()) options_.keep_answers(*table->get(), *checksum);
}

void SnapshotKeeper::write(const std::string& content, std::int64_t unix_seconds) {
  const auto written = file_.save(content, unix_seconds);
  failed_ = !written;
  if (!written && reminder_.due(clock_.now())) log::error("snapshot not written", {{"problem", written.error()}});
  if (written && reminder_.ends()) log::info("snapshot written again");
}

}  // namespace meshdns::app
