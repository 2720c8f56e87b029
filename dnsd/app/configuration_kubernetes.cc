// What a configuration says of the Kubernetes API.
#include "dnsd/app/configuration_kubernetes.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "dnsd/app/kubernetes_server.h"
#include "dnsd/app/kubernetes_settings.h"

namespace meshdns::dnsd::app {

model::Part part_named(const std::string& name) {
  const auto part = std::ranges::find(model::kParts, name, model::part_name);
  MESHDNS_CHECK(part != model::kParts.end());
  return *part;
}

Result<void> read_kubernetes(const std::string& path, Configuration& out) {
  const kubernetes::Environment environment = kubernetes::process_environment();
  auto settings = kubernetes_settings(out.file, out.folder, environment);
  if (!settings) return Error(Code::InvalidArgument, path + ": " + settings.error().message() + "\n");
  out.kubernetes = *std::move(settings);
  auto clusters = kubernetes_clusters_of(out.file.federation(), out.folder, environment);
  if (!clusters) return clusters.error().with_context(path);
  out.kubernetes_clusters = *std::move(clusters);
  for (const auto& forwarder : out.file.dns().trusted_forwarders()) {
    if (!forwarder.has_kubernetes()) continue;
    const auto& service = forwarder.kubernetes();
    out.followed_forwarders.push_back({service.namespace_(), service.service(), part_named(forwarder.granularity())});
  }
  if (out.followed_forwarders.empty()) return {};
  auto server = own_server(out.file.cluster(), out.kubernetes_clusters, environment);
  if (!server) return server.error().with_context(path + ": dns.trusted_forwarders");
  out.forwarders_server = *std::move(server);
  return {};
}

}  // namespace meshdns::dnsd::app
