#include "dnsd/resources/resource.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <limits>

#include "common/config/load.h"
#include "common/kubernetes/collection.h"
#include "common/kubernetes/json_text.h"
#include "common/kubernetes/object_reader.h"

namespace meshdns::resources {
namespace {

constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
constexpr std::uint64_t kMostGeneration = std::numeric_limits<std::int64_t>::max();

/// Returns the JSON of an object without what only the API and its controllers write.
std::string written_part(const Kind& kind, const boost::json::object& object) {
  boost::json::object metadata;
  if (const auto* all = kubernetes::object_in(object, "metadata")) {
    for (const char* name : {"name", "namespace", "labels", "annotations"}) {
      if (const auto* value = all->if_contains(name)) metadata[name] = *value;
    }
  }
  if (auto* annotations = metadata.if_contains("annotations"); annotations != nullptr && annotations->is_object()) {
    annotations->get_object().erase(kLastApplied);
  }
  // an item of a list has neither kind nor apiVersion
  boost::json::object out{{"apiVersion", "meshdns.io/v1alpha1"}, {"kind", kind.name}, {"metadata", metadata}};
  if (const auto* spec = object.if_contains("spec")) out["spec"] = *spec;
  return boost::json::serialize(out);
}

Status read_status(const kubernetes::ObjectReader& status) {
  Status out;
  for (const auto& each : status.list("conditions")) {
    out.conditions.push_back({each.text("type"), each.text("status"), each.text("reason"), each.text("message"),
                              each.text("lastTransitionTime"),
                              static_cast<std::int64_t>(each.number("observedGeneration", kMostGeneration))});
  }
  out.distances = status.texts("distances");
  out.gateways_down = status.list_of_texts("gatewaysDown");
  return out;
}

}  // namespace

Result<Resource> read_resource(const Kind& kind, const boost::json::object& object) {
  std::string problem;
  const kubernetes::ObjectReader reader(object, problem);
  const auto metadata = reader.object("metadata");
  const std::string name = metadata.text("name");
  const std::string space = metadata.text("namespace");
  Resource out;
  out.uid = metadata.text("uid");
  out.generation = static_cast<std::int64_t>(metadata.number("generation", kMostGeneration));
  out.created = metadata.time("creationTimestamp");
  out.status = read_status(reader.object("status"));
  if (problem.empty() && name.empty()) problem = "metadata.name: is missing";
  if (problem.empty() && out.uid.empty()) problem = "metadata.uid: is missing";
  if (problem.empty() && kind.namespaced == space.empty()) problem = "metadata.namespace: is not as the kind has it";
  if (!problem.empty()) return Error(Code::DataLoss, problem);
  const std::string place = space.empty() ? "" : "/namespaces/" + kubernetes::percent_encoded(space);
  out.key = std::string(kind.own_name) + "/" + (space.empty() ? "" : space + "/") + name;
  out.path = std::string(kind.group) + place + "/" + std::string(kind.plural) + "/" + kubernetes::percent_encoded(name);
  out.written = written_part(kind, object);
  return out;
}

Result<v1::Object> read_object(const Resource& resource) {
  auto read = config::load_objects(resource.written, "");
  if (!read) {
    std::string problems;
    for (const config::Problem& problem : read.error()) {
      problems += (problems.empty() ? "" : "; ") + (problem.path.empty() ? "" : problem.path + ": ") + problem.what;
    }
    return Error(Code::InvalidArgument, problems);
  }
  v1::Object out = std::move(read->front());
  out.mutable_metadata()->set_created(resource.created);
  return out;
}

}  // namespace meshdns::resources
