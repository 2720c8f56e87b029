#include "dnsd/app/kubernetes_server.h"

#include <algorithm>

namespace meshdns::dnsd::app {
namespace {

Result<kubernetes::Server> server_of(const config::v1::KubernetesCluster& cluster, const std::filesystem::path& folder,
                                     const kubernetes::Environment& environment) {
  if (cluster.server().empty()) return kubernetes::server_in_cluster(environment);
  const auto path = [&](const std::string& name) { return name.empty() ? "" : (folder / name).string(); };
  return kubernetes::server_at(cluster.server(), path(cluster.ca_file()), path(cluster.token_file()));
}

}  // namespace

Result<std::vector<KubernetesServer>> kubernetes_clusters_of(const config::v1::Federation& federation,
                                                             const std::filesystem::path& folder,
                                                             const kubernetes::Environment& environment) {
  std::vector<KubernetesServer> out;
  for (const auto& cluster : federation.kubernetes()) {
    auto server = server_of(cluster, folder, environment);
    if (!server) {
      const std::string key = "federation.kubernetes[" + std::to_string(out.size()) + "]";
      return server.error().with_context(cluster.server().empty() ? key : key + ".server");
    }
    out.push_back({cluster.cluster(), *std::move(server)});
  }
  return out;
}

Result<kubernetes::Server> own_server(const std::string& cluster, const std::vector<KubernetesServer>& clusters,
                                      const kubernetes::Environment& environment) {
  const auto own = std::ranges::find(clusters, cluster, &KubernetesServer::cluster);
  return own == clusters.end() ? kubernetes::server_in_cluster(environment) : Result<kubernetes::Server>(own->server);
}

}  // namespace meshdns::dnsd::app
