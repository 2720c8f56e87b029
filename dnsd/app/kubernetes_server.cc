#include "dnsd/app/kubernetes_server.h"

#include <algorithm>

namespace meshdns::dnsd::app {

Result<std::vector<KubernetesServer>> kubernetes_clusters_of(const config::v1::Federation& federation,
                                                             const std::filesystem::path& folder,
                                                             const kubernetes::Environment& environment) {
  std::vector<KubernetesServer> out;
  for (const auto& cluster : federation.kubernetes()) {
    const std::string key = "federation.kubernetes[" + std::to_string(out.size()) + "]";
    auto server = api_server(cluster, folder, environment, key);
    if (!server) return server.error();
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
