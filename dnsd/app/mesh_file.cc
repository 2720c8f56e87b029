#include "dnsd/app/mesh_file.h"

#include <utility>
#include <vector>

#include "common/convert/mesh_convert.h"
#include "common/convert/object_convert.h"
#include "common/log/log.h"

namespace meshdns::dnsd::app {
namespace {

constexpr const char* kSource = MeshFile::kManager;

void warn(const catalog::Refusal& refusal) {
  log::warn("endpoints_file entry refused",
            {{"key", refusal.key}, {"field", refusal.field}, {"reason", refusal.reason}});
}

}  // namespace

std::vector<catalog::Refusal> MeshFile::apply_node(const config::v1::MeshNode& file, TimePoint now) {
  const model::Node node = convert::to_node(file);
  if (const auto refusal = catalog_.put_node(node, now)) {
    catalog_.withdraw(node.key, now);
    return {*refusal};
  }
  nodes_.insert(node.key);
  std::vector<model::Endpoint> endpoints;
  for (const auto& endpoint : file.endpoints()) endpoints.push_back(convert::to_endpoint(endpoint, node, kSource, now));
  auto refusals = catalog_.apply_full(node.key, endpoints, {kSource}, now);
  std::vector<std::string> refused;
  for (const auto& refusal : refusals) refused.push_back(refusal.key);
  // apply_full() keeps the last good version of a refused endpoint, which a restart with this file would not have
  if (!refused.empty()) catalog_.apply_delta(node.key, {}, refused, now);
  return refusals;
}

void MeshFile::apply(const Configuration& configuration, TimePoint now, std::int64_t unix_seconds) {
  std::set<std::string> before = std::exchange(nodes_, {});
  for (const auto& file : configuration.mesh_nodes) before.erase(convert::to_node(file).key);
  for (const std::string& node : before) catalog_.withdraw(node, now);
  std::vector<catalog::Refusal> refusals;
  // in a full catalog the first round refuses records whose room it makes only later, by removing others
  for (int round = 0; round < 2; ++round) {
    refusals.clear();
    for (const auto& file : configuration.mesh_nodes) {
      const auto of_node = apply_node(file, now);
      refusals.insert(refusals.end(), of_node.begin(), of_node.end());
    }
    if (refusals.empty()) break;
  }
  for (const auto& refusal : refusals) warn(refusal);
  catalog_.forget(Duration::zero(), now);  // services without endpoints: a restart would not have them either
  apply_objects(configuration, now, unix_seconds);
}

void MeshFile::apply_objects(const Configuration& configuration, TimePoint now, std::int64_t unix_seconds) {
  if (created_ == 0) created_ = unix_seconds;
  std::set<std::string> keys;
  persistence::Objects::Change change;
  for (const v1::Object& object : configuration.mesh_objects) {
    v1::ApplyRequest request;
    request.set_manager(kSource);
    *request.add_objects() = object;
    const v1::ApplyReply reply = objects_.check(request, unix_seconds, change);
    const v1::ApplyResult& result = reply.results(0);
    if (result.outcome() != v1::ApplyResult::REFUSED) {
      keys.insert(convert::object_key(object));
    } else {
      log::warn("endpoints_file entry refused", {{"key", result.key()}, {"reason", result.error()}});
    }
  }
  // All objects of a file are equally old. Otherwise the winner of a contested host would be the object that was added
  // to the file first, and a restart would change the winner.
  for (v1::Object& object : change.put) object.mutable_metadata()->set_created(created_);
  for (const auto& [key, object] : objects_.all()) {
    if (object.metadata().manager() == kSource && !keys.contains(key)) change.erase.push_back(key);
  }
  objects_.commit(change, now);
}

}  // namespace meshdns::dnsd::app
