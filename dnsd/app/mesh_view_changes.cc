#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/convert/object_convert.h"
#include "dnsd/app/find_key.h"
#include "dnsd/app/mesh_view.h"
#include "dnsd/app/override_guard.h"

// The calls of operators that change something: apply, delete, and the end of overrides.

namespace meshdns::app {
namespace {

constexpr const char* kReplica = "this is a replica: objects are changed at its federation";
constexpr const char* kLostReplica =
    "this is a replica: objects are changed at its federation; while it is lost: drain and force with --local";
constexpr const char* kNoReplica = "this is no replica: an override here is one of the whole mesh; leave --local out";

constexpr const char* kNodeKind = "Node/";

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

/// Returns the text of an event, as in "Override/freeze created: Freeze all by alice@host: incident 42".
std::string change_text(const v1::Object& object, const v1::ApplyResult& result) {
  const char* done = result.outcome() == v1::ApplyResult::CREATED ? " created" : " configured";
  if (!object.has_override()) return result.key() + done;
  const v1::OverrideSpec& spec = object.override();
  const auto word = convert::to_override(object);
  const bool all = !word || word->action == model::Action::Freeze;
  return result.key() + done + ": " + spec.action() + " " + (all ? "all" : target_text(word->target)) +
         (spec.author().empty() ? "" : " by " + spec.author()) + ": " + spec.reason();
}

std::vector<std::string> hosts_of(const v1::Object& object) {
  const auto& hosts = object.virtual_destination().hosts();
  return {hosts.begin(), hosts.end()};
}

}  // namespace

void MeshView::note_changed(const v1::ApplyRequest& request, const v1::ApplyReply& reply) {
  if (parts_.events == nullptr || !reply.applied()) return;
  for (int i = 0; i < reply.results_size(); ++i) {
    const auto outcome = reply.results(i).outcome();
    if (outcome != v1::ApplyResult::CREATED && outcome != v1::ApplyResult::CONFIGURED) continue;
    parts_.events->note(hosts_of(request.objects(i)), change_text(request.objects(i), reply.results(i)));
  }
}

void MeshView::note_deleted(const v1::DeleteReply& reply) {
  if (parts_.events == nullptr) return;
  for (const std::string& key : reply.deleted()) parts_.events->note({}, key + " deleted");
}

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

void MeshView::store(persistence::Objects::Change change, std::function<void(Result<void>)> done) {
  if (change.empty()) return done({});
  if (parts_.persistence != nullptr) return parts_.persistence->apply(std::move(change), std::move(done));
  parts_.objects->commit(change, parts_.clock.now());
  done({});
}

const char* MeshView::replica_refusal() const { return parts_.replica->connected() ? kReplica : kLostReplica; }

v1::ApplyReply MeshView::check(const v1::ApplyRequest& request, persistence::Objects::Change& change) {
  const model::Records& records = parts_.catalog->records();
  if (const std::string idle = idle_target(request, records); !idle.empty()) return all_refused(request, idle);
  v1::ApplyReply reply = parts_.objects->check(request, parts_.clock.unix_seconds(), change);
  if (!request.force() && refuse_emptying(request, *parts_.publisher, records.overrides, reply)) {
    reply.set_applied(false);
    change = {};
  }
  count_targets(request, records, reply);
  return reply;
}

v1::ApplyReply MeshView::apply_local(const v1::ApplyRequest& request) {
  if (parts_.local_overrides == nullptr) return all_refused(request, kNoReplica);
  if (parts_.replica->connected()) {
    return all_refused(request, "its federation " + parts_.replica->server() + " is connected: change it there");
  }
  const model::Records& records = parts_.catalog->records();
  if (const std::string idle = idle_target(request, records); !idle.empty()) return all_refused(request, idle);
  v1::ApplyReply reply = parts_.local_overrides->apply(request);
  count_targets(request, records, reply);
  reply.set_revision(parts_.catalog->revision());
  note_changed(request, reply);
  return reply;
}

Result<v1::DeleteReply> MeshView::erase_local(const v1::DeleteRequest& request) {
  if (parts_.local_overrides == nullptr) return Error(Code::FailedPrecondition, kNoReplica);
  return parts_.local_overrides->erase(request);
}

Result<v1::DeleteReply> MeshView::forget_nodes(const v1::DeleteRequest& request) {
  const auto name_of = [](const std::string& key) { return key.substr(std::string_view(kNodeKind).size()); };
  if (parts_.agents == nullptr)
    return Error(Code::FailedPrecondition, "no agents report here: there is nobody to forget");
  const bool all =
      std::ranges::all_of(request.keys(), [](const std::string& key) { return key.starts_with(kNodeKind); });
  if (!all) return Error(Code::InvalidArgument, "nodes and objects cannot be deleted together");
  v1::DeleteReply reply;
  std::vector<std::string> nodes;
  for (const std::string& key : request.keys()) {
    auto found = find_key(parts_.catalog->records().nodes, name_of(key));
    if (!found) return found.error().with_context("Node");
    if (found->empty()) {
      reply.add_missing(key);
    } else if (parts_.agents->is_connected(*found)) {
      return Error(Code::FailedPrecondition,
                   "the agent of " + *found + " is connected; run `meshdns-agent leave` there");
    } else {
      nodes.push_back(*found);
    }
  }
  if (!reply.missing().empty() && !request.ignore_missing()) nodes.clear();
  for (const std::string& node : nodes) {
    if (auto removed = parts_.agents->remove(node); !removed) return removed.error();
    reply.add_deleted(kNodeKind + node);
  }
  reply.set_revision(parts_.catalog->revision());
  return reply;
}

void MeshView::expire_overrides() {
  if (parts_.local_overrides != nullptr) parts_.local_overrides->expire();
  const auto over = topology::expired(parts_.catalog->records().overrides, parts_.clock.unix_seconds());
  if (over.empty()) return;
  if (parts_.replica != nullptr) return forget_overrides(over);
  persistence::Objects::Change change;
  for (const auto& name : over) change.erase.push_back("Override/" + name);
  parts_.objects->commit(change, parts_.clock.now());
  changed();
  if (parts_.persistence == nullptr) return;
  // The override ends at once, without the disk. The store is changed in turn: an override that an operator prolongs
  // just now exists again by then, and must stay in the store.
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
  if (parts_.replica != nullptr) return done(all_refused(request, replica_refusal()));
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
      reply.set_revision(parts_.catalog->revision());
      changed();
      note_changed(request, reply);
      done(std::move(reply));
      turn_over();
    });
  });
}

void MeshView::erase(const v1::DeleteRequest& request, std::function<void(Result<v1::DeleteReply>)> done) {
  if (request.local()) return done(erase_local(request));
  const auto is_node = [](const std::string& key) { return key.starts_with(kNodeKind); };
  if (parts_.replica != nullptr) return done(Error(Code::FailedPrecondition, replica_refusal()));
  if (std::ranges::any_of(request.keys(), is_node)) return done(forget_nodes(request));
  in_turn([this, request, done = std::move(done)] {
    persistence::Objects::Change change;
    v1::DeleteReply reply = parts_.objects->check(request, change);
    store(std::move(change), [this, reply, done](const Result<void>& stored) mutable {
      reply.set_revision(parts_.catalog->revision());
      changed();
      if (stored) note_deleted(reply);
      done(stored ? Result<v1::DeleteReply>(std::move(reply)) : stored.error().with_context("not stored"));
      turn_over();
    });
  });
}

}  // namespace meshdns::app
