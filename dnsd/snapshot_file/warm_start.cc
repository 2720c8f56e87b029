#include "dnsd/snapshot_file/warm_start.h"

#include <string>
#include <utility>

#include "common/log/log.h"
#include "dnsd/snapshot_file/snapshot_file.h"

namespace meshdns::snapshot_file {

WarmStart::WarmStart(Options options, publish::Publisher& publisher, const Clock& clock, Timers& timers)
    : options_(std::move(options)),
      publisher_(publisher),
      timers_(timers),
      kept_(options_.folder, clock),
      program_(applies() ? snapshot_file::file_digest("/proc/self/exe") : 0),
      configuration_digest_(options_.configured().answers),
      mesh_digest_(options_.configured().endpoints_file) {
  if (options_.records == Records::EndpointsFile) writer_.emplace();  // a replica uses the thread of its SnapshotKeeper
}

WarmStart::~WarmStart() {
  if (timer_) timers_.cancel(*timer_);
}

TableSource WarmStart::source(std::optional<std::uint64_t> snapshot) const {
  TableSource out{configuration_digest_, mesh_digest_, program_};
  if (snapshot) out.records = snapshot_file::digest(std::to_string(*snapshot) + " " + std::to_string(out.records));
  return out;
}

bool WarmStart::take(const std::string& snapshot) {
  if (!applies()) return false;
  const auto checksum = snapshot.empty() ? std::nullopt : snapshot_file::SnapshotFile(snapshot).checksum();
  if (snapshot.empty() ? mesh_digest_ == 0 : !checksum) return false;
  auto found =
      kept_.load(source(checksum), publisher_.base(), snapshot.empty() ? Duration::max() : options_.stale_after());
  outcome_ = found.outcome;
  if (found.table == nullptr) {
    log::info("compiled answers not taken", {{"reason", outcome_name(outcome_)}});
    return false;
  }
  log::info("compiled answers taken", {{"hosts", found.table->names->hosts()}, {"age", found.age}});
  publisher_.adopt(std::move(found.table));
  fresh_ = false;
  return true;
}

void WarmStart::keep_later() {
  if (mesh_digest_ != options_.configured().endpoints_file) configuration_changed();  // the file was read later
  if (mesh_digest_ == 0 || !fresh_ || timer_ || !writer_) return;
  timer_ = timers_.after(kDelay, [this] {
    timer_.reset();
    const auto table = publisher_.pin();
    if (table == nullptr) return keep_later();  // too much waits to be published: later
    fresh_ = false;
    writer_->run([this, held = std::shared_ptr<publish::PinnedTable>(table), from = source({})]() mutable {
      if (const auto saved = kept_.save(from, *held->get()); !saved) {
        log::warn("compiled answers not written", {{"problem", saved.error()}});
      }
      held.reset();  // here, as a PinnedTable is a reader of the table: the compile thread may free it now
    });
  });
}

void WarmStart::keep(const answers::AnswerTable& table, std::uint64_t snapshot) {
  if (const auto saved = kept_.save(source(snapshot), table); !saved) {
    log::error("compiled answers not written", {{"problem", saved.error()}});
  }
}

void WarmStart::configuration_changed() {
  const Configured now = options_.configured();
  configuration_digest_ = now.answers;
  mesh_digest_ = now.endpoints_file;
  fresh_ = true;
}

}  // namespace meshdns::snapshot_file
