#include "dnsd/explain/offline_mesh.h"

#include "common/convert/mesh_convert.h"
#include "common/convert/object_convert.h"
#include "dnsd/topology/words.h"

namespace meshdns::explain {
namespace {

constexpr const char* kSource = "file";

}  // namespace

OfflineMesh::OfflineMesh(const std::vector<std::string>& zones, TimePoint now, std::int64_t unix_seconds)
    : now_(now), unix_seconds_(unix_seconds) {
  for (const std::string& zone : zones) settings_.zones.push_back({zone, {}, ""});
  catalog_.observe(&planner_);
}

std::unique_ptr<OfflineMesh> OfflineMesh::of(const config::v1::MeshFile& file, const std::vector<std::string>& zones,
                                             TimePoint now, std::int64_t unix_seconds) {
  std::unique_ptr<OfflineMesh> mesh(new OfflineMesh(zones, now, unix_seconds));
  for (const auto& node : file.nodes()) mesh->add(node);
  for (const auto& object : file.objects()) mesh->add(object);
  static const std::vector<answers::StaticRecord> kNoRecords;
  const answers::Base base = answers::make_base(mesh->settings_, kNoRecords);
  answers::configure(mesh->planner_, base);
  const answers::Version version{mesh->catalog_.revision(), mesh->catalog_.changed()};
  mesh->table_ = answers::compile({.records = mesh->catalog_.records(),
                                   .settings = mesh->settings_,
                                   .static_records = kNoRecords,
                                   .version = version,
                                   .now = now})
                     .table;
  return mesh;
}

void OfflineMesh::add(const config::v1::MeshNode& file) {
  const auto refused = [this](const catalog::Refusal& refusal) {
    problems_.push_back(refusal.key + ": " + refusal.field + ": " + refusal.reason);
  };
  const model::Node node = convert::to_node(file);
  if (const auto refusal = catalog_.put_node(node, now_)) return refused(*refusal);
  std::vector<model::Endpoint> endpoints;
  for (const auto& endpoint : file.endpoints()) {
    endpoints.push_back(convert::to_endpoint(endpoint, node, kSource, now_));
  }
  for (const auto& refusal : catalog_.apply_full(node.key, endpoints, {kSource}, now_)) refused(refusal);
}

void OfflineMesh::add(const v1::Object& object) {
  const auto take = [&](const auto& converted, auto put) {
    if (converted) {
      put(*converted);
    } else {
      problems_.push_back(convert::object_key(object) + ": " + converted.error().message());
    }
  };
  if (object.has_virtual_destination()) {
    take(convert::to_virtual_destination(object), [&](const auto& made) { catalog_.put_destination(made, now_); });
  } else if (object.has_override()) {
    const auto made = convert::to_override(object);
    if (made && topology::is_over(*made, unix_seconds_)) {
      problems_.push_back(convert::object_key(object) + ": spec.expires: it is over");
      return;
    }
    take(made, [&](const auto& word) { catalog_.put_override(word, now_); });
  } else {
    take(convert::to_cluster(object), [&](const auto& made) { catalog_.put_cluster(made, now_); });
  }
}

}  // namespace meshdns::explain
