#include "dnsd/app/kubernetes_settings.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "common/convert/report_convert.h"
#include "dnsd/app/kubernetes_server.h"

namespace meshdns::dnsd::app {
namespace {

constexpr const char* kAudience = "meshdns-federation";
constexpr const char* kTrustDomain = "mesh.internal";

/// Where relative paths start, and what a pod finds in its environment.
struct Place {
  const std::string& folder;
  const kubernetes::Environment& environment;
};

/// Reads `server`, `ca_file` and `token_file` of a section.
/// key: of the section
template <class Section>
Result<kubernetes::Server> server_of(const Section& section, const Place& place, const std::string& key) {
  return api_server(section, place.folder, place.environment, key);
}

Result<std::optional<PodIdentitySettings>> pod_identity_of(const config::v1::Meshdnsd& file, const Place& place) {
  if (!file.identity().has_kubernetes()) return std::optional<PodIdentitySettings>();
  const auto& section = file.identity().kubernetes();
  auto server = server_of(section, place, "identity.kubernetes");
  if (!server) return server.error();
  PodIdentitySettings out;
  out.server = *std::move(server);
  out.reviews.audience = section.audience().empty() ? kAudience : section.audience();
  if (section.has_review_timeout()) out.reviews.timeout = convert::from_wire(section.review_timeout());
  if (section.reviews_at_once() != 0) out.reviews.at_once = section.reviews_at_once();
  if (section.reviews_waiting() != 0) out.reviews.waiting = section.reviews_waiting();
  out.accounts.agents = {section.agents().begin(), section.agents().end()};
  out.accounts.dns = {section.dns().begin(), section.dns().end()};
  return std::optional(std::move(out));
}

Result<std::optional<AuthoritySecretSettings>> authority_secret_of(const config::v1::Meshdnsd& file,
                                                                   const Place& place) {
  if (!file.federation().has_authority_secret()) return std::optional<AuthoritySecretSettings>();
  const auto& section = file.federation().authority_secret();
  auto server = server_of(section, place, "federation.authority_secret");
  if (!server) return server.error();
  const std::string& domain = file.identity().trust_domain();
  AuthoritySecretSettings out;
  out.server = *std::move(server);
  out.options.name_space = section.namespace_();
  out.options.secret = section.name();
  out.options.config_map = section.config_map();
  out.options.read_only = section.read_only();
  out.options.folder = (std::filesystem::path(file.data_dir()) / "authority").string();
  out.options.trust_domain = domain.empty() ? kTrustDomain : domain;
  const Duration lifetime = convert::from_wire(file.federation().certificate_lifetime());
  out.options.interval = std::clamp<Duration>(lifetime / 10, 1s, enrolment::AuthoritySecret::kInterval);
  return std::optional(std::move(out));
}

Result<std::optional<kubernetes::Server>> objects_of(const config::v1::Store& store, const Place& place) {
  if (!store.has_kubernetes()) return std::optional<kubernetes::Server>();
  auto server = server_of(store.kubernetes(), place, "federation.store.kubernetes");
  if (!server) return server.error();
  return std::optional(*std::move(server));
}

Result<std::optional<LeaseSettings>> lease_of(const config::v1::Federation& federation, const Place& place) {
  if (!federation.has_lease()) return std::optional<LeaseSettings>();
  const auto& section = federation.lease().kubernetes();
  auto server = server_of(section, place, "federation.lease.kubernetes");
  if (!server) return server.error();
  LeaseSettings out{*std::move(server), section.namespace_(), section.name()};
  if (federation.lease().has_duration()) out.duration = convert::from_wire(federation.lease().duration());
  return std::optional(std::move(out));
}

}  // namespace

Result<KubernetesSettings> kubernetes_settings(const config::v1::Meshdnsd& file, const std::string& folder,
                                               const kubernetes::Environment& environment) {
  const Place place{folder, environment};
  auto pods = pod_identity_of(file, place);
  if (!pods) return pods.error();
  auto secret = authority_secret_of(file, place);
  if (!secret) return secret.error();
  auto objects = objects_of(file.federation().store(), place);
  if (!objects) return objects.error();
  auto lease = lease_of(file.federation(), place);
  if (!lease) return lease.error();
  return KubernetesSettings{*std::move(pods), *std::move(secret), *std::move(objects), *std::move(lease)};
}

}  // namespace meshdns::dnsd::app
