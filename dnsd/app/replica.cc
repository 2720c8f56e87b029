#include "dnsd/app/replica.h"

#include <utility>

#include "common/log/log.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::app {

Replica::Replica(process::EventLoop& loop, const Clock& clock, catalog::Catalog& catalog, Objects& objects,
                 Options options)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      mirror_(catalog, [&objects](const std::string& key, const v1::Object* object) { objects.mirror(key, object); }),
      follower_(mirror_, clock,
                {[this] {
                   options_.changed();
                   save_later();
                 },
                 [this] {
                   heard_ = true;
                   log::info("federation found", {{"server", client_.server()}});
                 }}),
      client_(loop, options_.watch, follower_),
      file_(options_.folder + "/replica"),
      started_(clock.now()) {}

Replica::~Replica() {
  if (!save_timer_) return;
  loop_.cancel(*save_timer_);
  static_cast<void>(save());
}

bool Replica::restore() {
  const auto found = file_.load(clock_.unix_seconds());
  damaged_snapshots_ = found.problems.size();
  for (const std::string& problem : found.problems) log::error("snapshot", {{"problem", problem}});
  if (!found.content) return false;
  v1::Batch batch;
  if (!batch.ParseFromString(*found.content)) {
    log::error("snapshot", {{"problem", "its content is no batch"}});
    return false;
  }
  restored_age_ = found.age;
  // what lasted for so long then has lasted longer by the age of the file
  const auto nacks = mirror_.apply(batch, clock_.now() - found.age);
  if (!nacks) {
    log::error("snapshot", {{"problem", nacks.error().message()}});
    return false;
  }
  log::info("snapshot restored", {{"revision", mirror_.revision()}, {"age", found.age}});
  return true;
}

void Replica::start() { client_.start(); }

Duration Replica::silence() const {
  if (heard_) return clock_.now() - follower_.last_heard();
  return restored_age_ + (clock_.now() - started_);
}

void Replica::save_later() {
  if (save_timer_) return;
  save_timer_ = loop_.after(kSnapshotInterval, [this] {
    save_timer_.reset();
    if (!save()) save_later();
  });
}

bool Replica::save() {
  const auto saved = file_.save(mirror_.snapshot(clock_.now()).SerializeAsString(), clock_.unix_seconds());
  if (!saved && reminder_.due(clock_.now())) log::error("snapshot not written", {{"problem", saved.error()}});
  if (saved && reminder_.ends()) log::info("snapshot written again");
  return saved.has_value();
}

}  // namespace meshdns::app
