#include "dnsd/app/kubernetes_settings.h"

#include <filesystem>

#include "common/convert/report_convert.h"

namespace meshdns::dnsd::app {
namespace {

/// Returns the API server that a message with the keys server, ca_file and token_file names.
template <class Message>
Result<kubernetes::Server> server_of(const Message& wanted, const std::string& folder,
                                     const kubernetes::Environment& environment) {
  auto out = wanted.server().empty() ? kubernetes::server_in_cluster(environment)
                                     : kubernetes::server_at(wanted.server(), "", "");
  if (!out) return out;
  const std::filesystem::path base(folder);
  if (!wanted.ca_file().empty()) out->ca_file = (base / wanted.ca_file()).string();
  if (!wanted.token_file().empty()) out->token_file = (base / wanted.token_file()).string();
  return out;
}

}  // namespace

Result<KubernetesSettings> kubernetes_settings(const config::v1::Federation& federation, const std::string& folder,
                                               const kubernetes::Environment& environment) {
  KubernetesSettings out;
  if (federation.store().has_kubernetes()) {
    auto server = server_of(federation.store().kubernetes(), folder, environment);
    if (!server) return server.error().with_context("federation.store.kubernetes");
    out.objects = *std::move(server);
  }
  if (federation.has_lease()) {
    const auto& wanted = federation.lease().kubernetes();
    auto server = server_of(wanted, folder, environment);
    if (!server) return server.error().with_context("federation.lease.kubernetes");
    out.lease = LeaseSettings{*std::move(server), wanted.namespace_(), wanted.name()};
    if (federation.lease().has_duration()) out.lease->duration = convert::from_wire(federation.lease().duration());
  }
  return out;
}

}  // namespace meshdns::dnsd::app
