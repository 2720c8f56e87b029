#include "dnsd/persistence/objects.h"

#include <google/protobuf/util/message_differencer.h>

#include <utility>
#include <vector>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/model/kubernetes_names.h"
#include "common/time/time_text.h"
#include "dnsd/topology/words.h"

namespace meshdns::persistence {
namespace {

/// Returns the part of an object that an operator writes, without what the federation adds.
v1::Object as_written(v1::Object object) {
  v1::Metadata metadata;
  metadata.set_name(object.metadata().name());
  metadata.set_namespace_(object.metadata().namespace_());
  *metadata.mutable_labels() = object.metadata().labels();
  *metadata.mutable_annotations() = object.metadata().annotations();
  *object.mutable_metadata() = std::move(metadata);
  object.clear_status();
  return object;
}

/// Returns the problem of an override whose time is over; empty = it is not over yet.
std::string expiry_problem(const model::Override& word, std::int64_t unix_seconds) {
  if (!topology::is_over(word, unix_seconds)) return "";
  return "spec.expires: " + time_text(word.expires) + " is over";
}

/// Returns why an object is not valid, or why the catalog would refuse it; empty = there is no problem.
std::string problem_of(const v1::Object& object, std::int64_t unix_seconds, Loopback loopback) {
  const auto said_of = [&](const auto& converted) -> std::string {
    if (!converted) return converted.error().message();
    const auto refusal = catalog::check(*converted, loopback);
    return refusal ? refusal_text(*refusal) : "";
  };
  if (object.has_virtual_destination()) return said_of(convert::to_virtual_destination(object));
  if (object.has_cluster()) return said_of(convert::to_cluster(object));
  if (object.has_override()) {
    const auto word = convert::to_override(object);
    return word ? expiry_problem(*word, unix_seconds) : word.error().message();
  }
  return "spec: is missing";
}

constexpr const char* kOneName = ": names that differ only in the case of letters are one";

/// Returns the key without the kind: "shop/app-b" of "VirtualDestination/shop/app-b".
std::string name_of(const std::string& key) { return key.substr(key.find('/') + 1); }

}  // namespace

std::string Objects::twin_of(const std::string& key) const {
  if (objects_.contains(key)) return "";
  const auto twin = names_.lower_bound({ascii_lower(key), ""});
  return twin != names_.end() && same_name(twin->second, key) ? twin->second : "";
}

v1::ApplyResult Objects::check_one(const v1::Object& object, const v1::ApplyRequest& request,
                                   std::int64_t unix_seconds) const {
  v1::ApplyResult result;
  result.set_key(convert::object_key(object));
  const auto refuse = [&](const std::string& why) {
    result.set_outcome(v1::ApplyResult::REFUSED);
    result.set_error(why);
    return result;
  };
  const auto live = objects_.find(result.key());
  if (live != objects_.end()) *result.mutable_before() = live->second;
  if (const std::string problem = problem_of(object, unix_seconds, catalog_.loopback()); !problem.empty())
    return refuse(problem);
  const auto expected = request.if_revision().find(result.key());
  const std::uint64_t revision = live == objects_.end() ? 0 : live->second.metadata().revision();
  if (expected != request.if_revision().end() && expected->second != revision) {
    return refuse("it is at revision " + std::to_string(revision) + ", not " + std::to_string(expected->second));
  }
  if (live == objects_.end()) {
    if (const std::string twin = twin_of(result.key()); !twin.empty()) return refuse("it exists as " + twin + kOneName);
    result.set_outcome(v1::ApplyResult::CREATED);
    return result;
  }
  const std::string& manager = live->second.metadata().manager();
  if (manager != request.manager() && !request.force()) return refuse("it is managed by " + manager);
  const bool equal = google::protobuf::util::MessageDifferencer::Equals(as_written(live->second), as_written(object));
  result.set_outcome(equal ? v1::ApplyResult::UNCHANGED : v1::ApplyResult::CONFIGURED);
  return result;
}

Result<void> Objects::put(v1::Object object, TimePoint now) {
  const std::string key = convert::object_key(object);
  const auto refused = [&](const catalog::Refusal& refusal) {
    return Error(Code::InvalidArgument, refusal_text(refusal)).with_context(key);
  };
  if (object.has_virtual_destination()) {
    const auto converted = convert::to_virtual_destination(object);
    if (!converted) return converted.error().with_context(key);
    if (const auto refusal = catalog_.put_destination(*converted, now)) return refused(*refusal);
  } else if (object.has_override()) {
    const auto converted = convert::to_override(object);
    if (!converted) return converted.error().with_context(key);
    catalog_.put_override(*converted, now);
  } else {
    const auto converted = convert::to_cluster(object);
    if (!converted) return converted.error().with_context(key);
    if (const auto refusal = catalog_.put_cluster(*converted, now)) return refused(*refusal);
  }
  object.mutable_metadata()->set_revision(catalog_.revision());
  keep(key, std::move(object));
  return {};
}

void Objects::erase(const std::string& key, TimePoint now) {
  if (key.starts_with("Cluster/")) {
    catalog_.erase_cluster(name_of(key), now);
  } else if (key.starts_with("Override/")) {
    catalog_.erase_override(name_of(key), now);
  } else {
    catalog_.erase_destination(name_of(key), now);
  }
  drop(key);
}

void Objects::keep(const std::string& key, v1::Object object) {
  objects_[key] = std::move(object);
  names_.emplace(ascii_lower(key), key);
}

void Objects::drop(const std::string& key) {
  objects_.erase(key);
  names_.erase({ascii_lower(key), key});
}

const v1::Object* Objects::find(catalog::RecordType type, const std::string& key) const {
  const auto found = objects_.find(std::string(record_type_name(type)) + "/" + key);
  return found == objects_.end() ? nullptr : &found->second;
}

void Objects::mirror(const std::string& key, const v1::Object* object) {
  if (object == nullptr) {
    drop(key);
  } else {
    keep(key, *object);
  }
}

v1::ApplyReply Objects::check(const v1::ApplyRequest& request, std::int64_t unix_seconds, Change& change) const {
  v1::ApplyReply reply;
  bool refused = false;
  for (const v1::Object& object : request.objects()) {
    *reply.add_results() = check_one(object, request, unix_seconds);
    refused = refused || reply.results().rbegin()->outcome() == v1::ApplyResult::REFUSED;
  }
  reply.set_applied(!refused && !request.dry_run());
  for (int i = 0; reply.applied() && i < request.objects_size(); ++i) {
    const v1::ApplyResult& result = reply.results(i);
    if (result.outcome() == v1::ApplyResult::UNCHANGED) continue;
    v1::Object object = as_written(request.objects(i));
    v1::Metadata& metadata = *object.mutable_metadata();
    metadata.set_created(result.has_before() ? result.before().metadata().created() : unix_seconds);
    metadata.set_origin(origin_);
    metadata.set_manager(request.manager());
    change.put.push_back(std::move(object));
  }
  reply.set_revision(catalog_.revision());
  return reply;
}

std::string Objects::host_problem(const v1::Object& object) const {
  if (!catalog_.host_rights() || !object.has_virtual_destination()) return "";
  const auto converted = convert::to_virtual_destination(object);
  const auto refusal = converted ? catalog_.host_rights()->check(*converted) : std::nullopt;
  return refusal ? refusal_text(*refusal) : "";
}

Result<void> Objects::check_adopted(v1::Object object, std::int64_t unix_seconds, Change& change) const {
  const std::string key = convert::object_key(object);
  const auto live = objects_.find(key);
  if (const std::string problem = problem_of(object, unix_seconds, catalog_.loopback()); !problem.empty()) {
    const auto word = convert::to_override(object);  // an error for other kinds
    if (word && topology::is_over(*word, unix_seconds) && live != objects_.end()) change.erase.push_back(key);
    return Error(Code::InvalidArgument, problem);
  }
  if (const std::string twin = twin_of(key); !twin.empty())
    return Error(Code::InvalidArgument, "it exists as " + twin + kOneName);
  const std::int64_t created = object.metadata().created();
  object = as_written(std::move(object));
  object.mutable_metadata()->set_manager(model::kKubernetesManager);
  if (const std::string problem = host_problem(object); !problem.empty()) return Error(Code::PermissionDenied, problem);
  const bool same = live != objects_.end() && live->second.metadata().manager() == model::kKubernetesManager &&
                    live->second.metadata().created() == created &&
                    google::protobuf::util::MessageDifferencer::Equals(as_written(live->second), as_written(object));
  if (same) return {};
  object.mutable_metadata()->set_created(created);
  object.mutable_metadata()->set_origin(origin_);
  change.put.push_back(std::move(object));
  return {};
}

v1::DeleteReply Objects::check(const v1::DeleteRequest& request, Change& change) const {
  v1::DeleteReply reply;
  for (const std::string& key : request.keys()) {
    if (!objects_.contains(key)) reply.add_missing(key);
  }
  if (reply.missing().empty() || request.ignore_missing()) {
    for (const std::string& key : request.keys()) {
      if (!objects_.contains(key)) continue;
      reply.add_deleted(key);
      change.erase.push_back(key);
    }
  }
  reply.set_revision(catalog_.revision());
  return reply;
}

std::vector<std::string> Objects::commit(const Change& change, TimePoint now) {
  std::vector<std::string> problems;
  for (const v1::Object& object : change.put) {
    if (const auto done = put(object, now); !done) problems.push_back(done.error().message());
  }
  for (const std::string& key : change.erase) erase(key, now);
  return problems;
}

}  // namespace meshdns::persistence
