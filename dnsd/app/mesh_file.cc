#include "dnsd/app/mesh_file.h"

#include "common/convert/mesh_convert.h"
#include "common/convert/object_convert.h"
#include "common/log/log.h"

namespace meshdns::app {
namespace {

constexpr const char* kSource = MeshFile::kManager;

void warn(const catalog::Refusal& refusal) {
  log::warn("endpoints_file refused", {{"key", refusal.key}, {"field", refusal.field}, {"reason", refusal.reason}});
}

}  // namespace

void MeshFile::apply(const Configuration& configuration, TimePoint now, std::int64_t unix_seconds) {
  std::set<std::string> nodes;
  for (const auto& file : configuration.mesh_nodes) {
    const model::Node node = convert::to_node(file);
    if (const auto refusal = catalog_.put_node(node, now)) {
      warn(*refusal);
      continue;
    }
    nodes.insert(node.key);
    std::vector<model::Endpoint> endpoints;
    for (const auto& endpoint : file.endpoints())
      endpoints.push_back(convert::to_endpoint(endpoint, node, kSource, now));
    for (const auto& refusal : catalog_.apply_full(node.key, endpoints, {kSource}, now)) warn(refusal);
  }
  for (const std::string& node : nodes_) {
    if (!nodes.contains(node)) catalog_.withdraw(node, now);
  }
  nodes_ = std::move(nodes);
  apply_objects(configuration, now, unix_seconds);
}

void MeshFile::apply_objects(const Configuration& configuration, TimePoint now, std::int64_t unix_seconds) {
  v1::ApplyRequest request;
  request.set_manager(kSource);
  std::set<std::string> keys;
  for (const v1::Object& object : configuration.mesh_objects) {
    *request.add_objects() = object;
    keys.insert(convert::object_key(object));
  }
  Objects::Change change;
  const v1::ApplyReply reply = objects_.check(request, unix_seconds, change);
  for (const auto& result : reply.results()) {
    if (result.outcome() != v1::ApplyResult::REFUSED) continue;
    log::warn("endpoints_file refused", {{"key", result.key()}, {"reason", result.error()}});
  }
  for (const auto& [key, object] : objects_.all()) {
    if (object.metadata().manager() == kSource && !keys.contains(key)) change.erase.push_back(key);
  }
  objects_.commit(change, now);
}

}  // namespace meshdns::app
