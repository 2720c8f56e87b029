#include "dnsd/app/replica.h"

#include <utility>

#include "common/log/log.h"
#include "common/process/memory.h"
#include "common/process/post_to.h"
#include "dnsd/snapshot_file/kept_records.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::dnsd::app {

Replica::Replica(process::EventLoop& loop, const Clock& clock, catalog::Catalog& catalog, persistence::Objects& objects,
                 Options options)
    : clock_(clock),
      options_(std::move(options)),
      mirror_(catalog, [&objects](const std::string& key, const v1::Object* object) { objects.mirror(key, object); }),
      follower_(mirror_, clock, loop,
                {[this] { changed(); },
                 [this] {
                   heard_ = true;
                   log::info("federation found", {{"server", client_.server()}});
                 }}),
      client_(loop, options_.watch, follower_),
      keeper_(loop, clock, process::post_to(loop),
              {.path = options_.folder + "/" + kFile,
               .interval = kSnapshotInterval,
               .blocks = [this] { return mirror_.blocks(clock_.now(), snapshot_file::SnapshotKeeper::kBlockRecords); },
               .version = [this] { return mirror_.sets(); },
               .answers = options_.answers,
               .keep_answers = options_.keep_answers}),
      started_(clock.now()) {
  follower_.set_name(options_.name);
}

void Replica::changed() {
  // A federation that has lost its store does not know all records yet. Serving them would deny names that exist.
  whole_ = whole_ || !(mirror_.additive() && follower_.origin_recovers());
  if (!whole_) return;
  options_.changed();
  keeper_.save_later();
  if (std::exchange(sets_, mirror_.sets()) != mirror_.sets()) process::release_free_memory();
}

bool Replica::restore() {
  auto snapshots = snapshot_file::open_snapshot(options_.folder + "/" + kFile, clock_.unix_seconds());
  damaged_snapshots_ = snapshots.damaged;
  auto& kept = snapshots.newest;
  if (!kept) return false;
  restored_age_ = kept->age;
  // times in the file are relative to its writing: states have lasted longer by the age of the file
  const auto records =
      snapshot_file::restore_records(snapshot_file::BlockReader(kept->content), mirror_, clock_.now() - kept->age);
  if (!records) {
    ++damaged_snapshots_;
    log::error("snapshot damaged", {{"problem", records.error()}});
    return false;
  }
  whole_ = true;
  sets_ = mirror_.sets();
  log::info("snapshot restored", {{"revision", mirror_.revision()}, {"records", *records}, {"age", kept->age}});
  return true;
}

void Replica::start() { client_.start(); }

Duration Replica::silence() const {
  if (heard_) return clock_.now() - follower_.last_heard();
  return restored_age_ + (clock_.now() - started_);
}

}  // namespace meshdns::dnsd::app
