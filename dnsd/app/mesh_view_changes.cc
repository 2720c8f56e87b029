#include <utility>

#include "common/convert/object_convert.h"
#include "dnsd/app/mesh_view.h"
#include "dnsd/app/override_guard.h"

// What operators change.

namespace meshdns::app {
namespace {

constexpr const char* kReplica = "this is a replica: objects are changed at its federation";
constexpr const char* kNoReplica = "this is no replica: an override here is one of the whole mesh; leave --local out";

v1::ApplyReply all_refused(const v1::ApplyRequest& request, const std::string& why) {
  v1::ApplyReply reply;
  for (const v1::Object& object : request.objects()) {
    v1::ApplyResult& result = *reply.add_results();
    result.set_key(convert::object_key(object));
    result.set_outcome(v1::ApplyResult::REFUSED);
    result.set_error(why);
  }
  return reply;
}

}  // namespace

void MeshView::changed() {
  parts_.publisher->changed();
  if (parts_.records_changed) parts_.records_changed();
}

void MeshView::in_turn(std::function<void()> operation) {
  operations_.push_back(std::move(operation));
  if (operations_.size() == 1) operations_.front()();
}

void MeshView::turn_over() {
  operations_.pop_front();
  if (!operations_.empty()) operations_.front()();
}

void MeshView::store(Objects::Change change, std::function<void(Result<void>)> done) {
  if (change.empty()) return done({});
  if (parts_.persistence != nullptr) return parts_.persistence->apply(std::move(change), std::move(done));
  parts_.objects->commit(change, parts_.clock.now());
  done({});
}

v1::ApplyReply MeshView::check(const v1::ApplyRequest& request, Objects::Change& change) {
  v1::ApplyReply reply = parts_.objects->check(request, parts_.clock.unix_seconds(), change);
  const topology::Overrides& overrides = parts_.catalog->records().overrides;
  if (!request.force() && refuse_emptying(request, *parts_.publisher, overrides, reply)) {
    reply.set_applied(false);
    change = {};
  }
  return reply;
}

v1::ApplyReply MeshView::apply_local(const v1::ApplyRequest& request) {
  if (parts_.local_overrides == nullptr) return all_refused(request, kNoReplica);
  if (parts_.replica->connected()) {
    return all_refused(request, "its federation " + parts_.replica->server() + " is connected: change it there");
  }
  v1::ApplyReply reply = parts_.local_overrides->apply(request);
  reply.set_revision(parts_.catalog->revision());
  return reply;
}

Result<v1::DeleteReply> MeshView::erase_local(const v1::DeleteRequest& request) {
  if (parts_.local_overrides == nullptr) return Error(Code::FailedPrecondition, kNoReplica);
  return parts_.local_overrides->erase(request);
}

void MeshView::expire_overrides() {
  if (parts_.local_overrides != nullptr) parts_.local_overrides->expire();
  const auto over = topology::expired(parts_.catalog->records().overrides, parts_.clock.unix_seconds());
  if (over.empty()) return;
  if (parts_.replica != nullptr) return forget_overrides(over);
  Objects::Change change;
  for (const auto& name : over) change.erase.push_back("Override/" + name);
  parts_.objects->commit(change, parts_.clock.now());
  changed();
  if (parts_.persistence == nullptr) return;
  // the end does not wait for the disk; but one that is being prolonged must not go from the store
  in_turn([this, keys = std::move(change.erase)]() mutable {
    std::erase_if(keys, [this](const std::string& key) { return parts_.objects->all().contains(key); });
    if (!keys.empty()) parts_.persistence->erase_expired(std::move(keys));
    turn_over();
  });
}

void MeshView::forget_overrides(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    parts_.catalog->erase_local_override(name);
    parts_.objects->mirror("Override/" + name, nullptr);
  }
  parts_.publisher->changed_here();
}

void MeshView::apply(const v1::ApplyRequest& request, std::function<void(v1::ApplyReply)> done) {
  if (request.local()) return done(apply_local(request));
  if (parts_.replica != nullptr) return done(all_refused(request, kReplica));
  in_turn([this, request, done = std::move(done)] {
    Objects::Change change;
    v1::ApplyReply reply = check(request, change);
    store(std::move(change), [this, reply, done](const Result<void>& stored) mutable {
      if (!stored) {
        reply.set_applied(false);
        for (auto& result : *reply.mutable_results()) {
          result.set_outcome(v1::ApplyResult::REFUSED);
          result.set_error("not stored: " + stored.error().message());
        }
      }
      reply.set_revision(parts_.catalog->revision());
      changed();
      done(std::move(reply));
      turn_over();
    });
  });
}

void MeshView::erase(const v1::DeleteRequest& request, std::function<void(Result<v1::DeleteReply>)> done) {
  if (request.local()) return done(erase_local(request));
  if (parts_.replica != nullptr) return done(Error(Code::FailedPrecondition, kReplica));
  in_turn([this, request, done = std::move(done)] {
    Objects::Change change;
    v1::DeleteReply reply = parts_.objects->check(request, change);
    store(std::move(change), [this, reply, done](const Result<void>& stored) mutable {
      reply.set_revision(parts_.catalog->revision());
      changed();
      done(stored ? Result<v1::DeleteReply>(std::move(reply)) : stored.error().with_context("not stored"));
      turn_over();
    });
  });
}

}  // namespace meshdns::app
