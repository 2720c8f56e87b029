#include "dnsd/app/replica.h"

#include <utility>

#include "common/log/log.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::app {

Replica::Replica(process::EventLoop& loop, const Clock& clock, catalog::Catalog& catalog, Objects& objects,
                 Options options)
    : clock_(clock),
      options_(std::move(options)),
      mirror_(catalog, [&objects](const std::string& key, const v1::Object* object) { objects.mirror(key, object); }),
      follower_(mirror_, clock,
                {[this] { changed(); },
                 [this] {
                   heard_ = true;
                   log::info("federation found", {{"server", client_.server()}});
                 }}),
      client_(loop, options_.watch, follower_),
      keeper_(loop, clock,
              {options_.folder + "/" + kFile, kSnapshotInterval, [this] { return mirror_.snapshot(clock_.now()); },
               options_.answers, options_.keep_answers}),
      started_(clock.now()) {}

void Replica::changed() {
  // the first words of a federation that has lost its store are not all: a name that is missing may exist
  whole_ = whole_ || !(mirror_.additive() && follower_.origin_recovers());
  if (!whole_) return;
  options_.changed();
  keeper_.save_later();
}

bool Replica::restore() {
  const auto snapshots = load_snapshot(options_.folder + "/" + kFile, clock_.unix_seconds());
  damaged_snapshots_ = snapshots.damaged;
  const auto& kept = snapshots.newest;
  if (!kept) return false;
  restored_age_ = kept->age;
  // what lasted for so long then has lasted longer by the age of the file
  const auto nacks = mirror_.apply(kept->batch, clock_.now() - kept->age);
  if (!nacks) {
    log::error("snapshot", {{"problem", nacks.error().message()}});
    return false;
  }
  whole_ = true;
  log::info("snapshot restored", {{"revision", mirror_.revision()}, {"age", kept->age}});
  return true;
}

void Replica::start() { client_.start(); }

Duration Replica::silence() const {
  if (heard_) return clock_.now() - follower_.last_heard();
  return restored_age_ + (clock_.now() - started_);
}

}  // namespace meshdns::app
