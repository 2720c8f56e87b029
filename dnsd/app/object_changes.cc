#include "dnsd/app/object_changes.h"

#include <algorithm>
#include <utility>

#include "common/model/kubernetes_names.h"
#include "dnsd/app/object_events.h"
#include "dnsd/app/override_guard.h"
#include "dnsd/topology/words.h"

namespace meshdns::dnsd::app {
namespace {

constexpr const char* kByKubectl =
    "this federation has its objects in the Kubernetes API: change them with kubectl (meshdnsctl ... --print | kubectl "
    "apply -f -)";
constexpr const char* kNoReplica = "this is no replica: an override here is one of the whole mesh; leave --local out";

}  // namespace

void ObjectChanges::changed() {
  env_.mesh.publisher.changed();
  env_.records_changed();
}

void ObjectChanges::in_turn(std::function<void()> operation) {
  operations_.push_back(std::move(operation));
  if (operations_.size() == 1) operations_.front()();
}

void ObjectChanges::turn_over() {
  operations_.pop_front();
  if (!operations_.empty()) operations_.front()();
}

void ObjectChanges::store(persistence::Objects::Change change, std::function<void(Result<void>)> done) {
  if (change.empty()) return done({});
  env_.store(std::move(change), std::move(done));
}

v1::ApplyReply ObjectChanges::check(const v1::ApplyRequest& request, persistence::Objects::Change& change) {
  const model::Records& records = env_.mesh.catalog.records();
  if (const std::string idle = idle_target(request, records); !idle.empty()) return all_refused(request, idle);
  v1::ApplyReply reply = env_.mesh.objects.check(request, env_.mesh.clock.unix_seconds(), change);
  if (!request.force() && refuse_emptying(request, env_.mesh.publisher, records.overrides, reply)) {
    reply.set_applied(false);
    change = {};
  }
  count_targets(request, records, reply);
  return reply;
}

void ObjectChanges::apply(const v1::ApplyRequest& request, RecordSource::Applied done) {
  if (request.local()) return done(all_refused(request, kNoReplica));
  // a dry run with force is a comparison
  if (env_.by_kubectl && !(request.dry_run() && request.force())) return done(all_refused(request, kByKubectl));
  in_turn([this, request, done = std::move(done)] {
    persistence::Objects::Change change;
    v1::ApplyReply reply = check(request, change);
    store(std::move(change), [this, request, reply, done](const Result<void>& stored) mutable {
      if (!stored) {
        reply.set_applied(false);
        for (auto& result : *reply.mutable_results()) {
          result.set_outcome(v1::ApplyResult::REFUSED);
          result.set_error("not stored: " + stored.error().message());
        }
      }
      reply.set_revision(env_.mesh.catalog.revision());
      changed();
      note_changed(env_.events, request, reply);
      done(std::move(reply));
      turn_over();
    });
  });
}

void ObjectChanges::erase(const v1::DeleteRequest& request, RecordSource::Erased done) {
  if (request.local()) return done(Error(Code::FailedPrecondition, kNoReplica));
  if (std::ranges::any_of(request.keys(), names_node)) return done(env_.forget_nodes(request));
  const auto& objects = env_.mesh.objects.all();
  const bool by_kubectl =
      env_.by_kubectl && std::ranges::any_of(request.keys(), [&](const std::string& key) {
        const auto found = objects.find(key);
        return found != objects.end() && found->second.metadata().manager() == model::kKubernetesManager;
      });
  if (by_kubectl) return done(Error(Code::FailedPrecondition, kByKubectl));
  in_turn([this, request, done = std::move(done)] {
    persistence::Objects::Change change;
    v1::DeleteReply reply = env_.mesh.objects.check(request, change);
    store(std::move(change), [this, reply, done](const Result<void>& stored) mutable {
      reply.set_revision(env_.mesh.catalog.revision());
      changed();
      if (stored) note_deleted(env_.events, reply);
      done(stored ? Result<v1::DeleteReply>(std::move(reply)) : stored.error().with_context("not stored"));
      turn_over();
    });
  });
}

void ObjectChanges::write(v1::StatusReply& out) const {
  if (out.has_freeze()) out.mutable_freeze()->set_held(env_.mesh.catalog.held());
}

void ObjectChanges::expire_overrides() {
  const auto over = topology::expired(env_.mesh.catalog.records().overrides, env_.mesh.clock.unix_seconds());
  if (over.empty()) return;
  persistence::Objects::Change change;
  for (const auto& name : over) change.erase.push_back("Override/" + name);
  env_.mesh.objects.commit(change, env_.mesh.clock.now());
  changed();
  // The override ends at once, without the disk. The store is changed in turn: an override that an operator prolongs
  // just now exists again by then, and must stay in the store.
  in_turn([this, keys = std::move(change.erase)]() mutable {
    std::erase_if(keys, [this](const std::string& key) { return env_.mesh.objects.all().contains(key); });
    if (!keys.empty()) env_.erase_expired(std::move(keys));
    turn_over();
  });
}

}  // namespace meshdns::dnsd::app
