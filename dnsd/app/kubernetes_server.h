#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/kubernetes/server.h"
#include "meshdns/config/v1/dnsd.pb.h"

namespace meshdns::dnsd::app {

/// A cluster whose API server is followed.
struct KubernetesServer {
  std::string cluster;
  kubernetes::Server server;
};

/// Returns the API server that a section of the configuration names by `server`, `ca_file` and `token_file`: without
/// `server`, the one of the pod in which this process runs. A file of the section replaces the pod's.
/// folder: of the configuration file, to which paths are relative
/// key:    of the section
/// errors: an address is wrong, or the process is in no pod; begins with the key
template <class Section>
Result<kubernetes::Server> api_server(const Section& section, const std::filesystem::path& folder,
                                      const kubernetes::Environment& environment, const std::string& key) {
  auto out = section.server().empty() ? kubernetes::server_in_cluster(environment)
                                      : kubernetes::server_at(section.server(), "", "");
  if (!out) return out.error().with_context(section.server().empty() ? key : key + ".server");
  if (!section.ca_file().empty()) out->ca_file = (folder / section.ca_file()).string();
  if (!section.token_file().empty()) out->token_file = (folder / section.token_file()).string();
  return out;
}

/// Returns the clusters of `federation.kubernetes`. A cluster without a server is the one in which this process runs.
/// folder: of the configuration file, to which paths are relative
/// errors: an address is wrong, or the process is in no pod; begins with the key
Result<std::vector<KubernetesServer>> kubernetes_clusters_of(const config::v1::Federation& federation,
                                                             const std::filesystem::path& folder,
                                                             const kubernetes::Environment& environment);

/// Returns the API server of the process's own cluster: that of the configuration, else that of the pod.
/// errors: the process is in no pod
Result<kubernetes::Server> own_server(const std::string& cluster, const std::vector<KubernetesServer>& clusters,
                                      const kubernetes::Environment& environment);

}  // namespace meshdns::dnsd::app
