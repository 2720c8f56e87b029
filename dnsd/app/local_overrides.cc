#include "dnsd/app/local_overrides.h"

#include <map>
#include <utility>

#include "common/convert/object_convert.h"
#include "common/log/log.h"
#include "common/time/time_text.h"
#include "dnsd/app/override_guard.h"
#include "dnsd/topology/words.h"

namespace meshdns::dnsd::app {
namespace {

std::string key_here(const std::string& name) { return LocalOverrides::kKeyPrefix + name; }
std::string object_key_here(const std::string& name) { return "Override/" + key_here(name); }

/// Refuses objects that cannot be local: a freeze holds changes at their origin, and other kinds are not overrides.
/// returns: true = an object was refused
bool refuse_others(const v1::ApplyRequest& request, v1::ApplyReply& reply) {
  bool refused = false;
  for (int i = 0; i < request.objects_size(); ++i) {
    const v1::Object& object = request.objects(i);
    const bool good = object.has_override() && object.override().action() != "Freeze";
    if (good) continue;
    reply.mutable_results(i)->set_outcome(v1::ApplyResult::REFUSED);
    reply.mutable_results(i)->set_error("only overrides of Up, Down and Drain can be local");
    refused = true;
  }
  return refused;
}

}  // namespace

LocalOverrides::LocalOverrides(Environment environment)
    : environment_(std::move(environment)),
      objects_(catalog_, environment_.instance),
      file_(environment_.folder + "/" + kFile) {}

bool LocalOverrides::left_in(const std::string& folder) {
  const auto loaded = snapshot_file::SnapshotFile(folder + "/" + kFile).load(0);
  v1::ListReply kept;
  return loaded.content && kept.ParseFromString(*loaded.content) && kept.objects_size() > 0;
}

void LocalOverrides::restore() {
  const auto loaded = file_.load(environment_.clock.unix_seconds());
  for (const std::string& problem : loaded.problems) log::error("local overrides not all read", {{"problem", problem}});
  v1::ListReply kept;
  if (!loaded.content || !kept.ParseFromString(*loaded.content)) return;
  persistence::Objects::Change change;
  change.put.assign(kept.objects().begin(), kept.objects().end());
  commit(change);
  expire();
}

v1::ApplyReply LocalOverrides::apply(v1::ApplyRequest request) {
  const std::int64_t unix_seconds = environment_.clock.unix_seconds();
  request.set_manager(topology::kLocalManager);
  for (v1::Object& object : *request.mutable_objects()) {
    if (!object.has_override() || !object.override().expires().empty()) continue;
    object.mutable_override()->set_expires(time_text(unix_seconds + kLongestWithoutWord / 1s));
  }
  persistence::Objects::Change change;
  v1::ApplyReply reply = objects_.check(request, unix_seconds, change);
  const topology::Overrides& overrides = environment_.catalog.records().overrides;
  const bool refused = refuse_others(request, reply) ||
                       (!request.force() && refuse_emptying(request, environment_.publisher, overrides, reply));
  if (refused) reply.set_applied(false);
  if (!reply.applied() || change.empty()) return reply;
  if (const auto kept = keep(change); !kept) {
    reply.set_applied(false);
    for (auto& result : *reply.mutable_results()) {
      result.set_outcome(v1::ApplyResult::REFUSED);
      result.set_error("not kept: " + kept.error().message());
    }
    return reply;
  }
  commit(change);
  return reply;
}

Result<v1::DeleteReply> LocalOverrides::erase(const v1::DeleteRequest& request) {
  persistence::Objects::Change change;
  v1::DeleteReply reply = objects_.check(request, change);
  if (change.empty()) return reply;
  if (const auto kept = keep(change); !kept) return kept.error().with_context("not kept");
  commit(change);
  return reply;
}

void LocalOverrides::expire() {
  persistence::Objects::Change change;
  for (const auto& name : topology::expired(catalog_.records().overrides, environment_.clock.unix_seconds())) {
    change.erase.push_back("Override/" + name);
  }
  if (change.empty()) return;
  // a failure is only logged: an override that stays in the file is over at the next start, too
  if (const auto kept = keep(change); !kept) log::warn("local overrides not written", {{"problem", kept.error()}});
  commit(change);
}

Result<void> LocalOverrides::keep(const persistence::Objects::Change& change) const {
  std::map<std::string, v1::Object> all = objects_.all();
  for (const v1::Object& object : change.put) all[convert::object_key(object)] = object;
  for (const std::string& key : change.erase) all.erase(key);
  v1::ListReply kept;
  for (const auto& [key, object] : all) *kept.add_objects() = object;
  // The control thread waits for the disk, so that an acknowledged override survives a crash. The file is a few
  // kilobytes.
  return file_.save(kept.SerializeAsString(), environment_.clock.unix_seconds());
}

void LocalOverrides::commit(const persistence::Objects::Change& change) {
  for (const std::string& problem : objects_.commit(change, environment_.clock.now())) {
    log::error("local overrides not all read", {{"problem", problem}});
  }
  // all copies are made again, instead of a difference: there are few, and each change ends with equal copies
  for (const std::string& name : std::exchange(shown_, {})) {
    environment_.catalog.erase_local_override(key_here(name));
    environment_.objects.mirror(object_key_here(name), nullptr);
  }
  for (const auto& [name, word] : catalog_.records().overrides) {
    environment_.catalog.set_local_override(key_here(name), word);
    environment_.objects.mirror(object_key_here(name), objects_.find(catalog::RecordType::Override, name));
    shown_.insert(name);
  }
  any_ = !shown_.empty();
  environment_.publisher.changed_here();
}

}  // namespace meshdns::dnsd::app
