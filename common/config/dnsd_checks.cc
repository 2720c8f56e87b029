#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "common/base/hint.h"
#include "common/base/text.h"
#include "common/config/checks.h"
#include "common/config/rules.h"
#include "common/model/host_name.h"
#include "common/net/ip_address.h"
#include "common/net/socket_address.h"

namespace meshdns::config {
namespace {

bool has_role(const v1::Meshdnsd& config, std::string_view role) {
  return std::find(config.roles().begin(), config.roles().end(), role) != config.roles().end();
}

void check_roles(const Place& root, const v1::Meshdnsd& config, Report& report) {
  const bool federation = has_role(config, "federation");
  const bool dns = has_role(config, "dns");
  const bool from_file = !config.dns().endpoints_file().empty();
  if (config.roles().empty()) return report.add(root.child("roles"), "must not be empty");
  if (federation == dns && from_file) {
    const Place section = root.child("dns");
    report.add(section.child("endpoints_file"), "only with roles: [dns]; here the federation knows the mesh");
  }
  if (federation && config.has_replica()) report.add(root.child("replica"), "only with roles: [dns]");
  if (federation == dns) return;
  if (federation) report.add(root.child("roles"), "not supported yet: federation without dns");
  if (dns && from_file == config.has_replica()) {
    report.add(root.child("roles"), from_file ? "dns alone takes dns.endpoints_file or replica, not both"
                                              : "dns alone needs replica.federation or dns.endpoints_file");
  }
  if (dns && root.node->find("federation") != nullptr)
    report.add(root.child("federation"), "needs the role federation");
}

void check_replica(const Place& root, const v1::Meshdnsd& config, Report& report) {
  const Place replica = root.child("replica");
  const Place servers = replica.child("federation");
  if (config.replica().has_tls() && config.replica().has_join()) report.add(replica.child("join"), kNotBoth);
  if (config.replica().has_join()) check_join(replica.child("join"), config.replica().join(), report);
  const bool tls = config.replica().has_tls() || config.replica().has_join();
  const Protection protection{tls, config.replica().insecure()};
  check_protection(replica, protection, report);
  for (int i = 0; i < config.replica().federation_size(); ++i) {
    check_plaintext(servers.item(static_cast<std::size_t>(i)), config.replica().federation(i), protection, report);
  }
  if (config.has_replica() && config.has_external_names()) {
    report.add(root.child("external_names"), "not with replica: the federation resolves them");
  }
}

/// Whether the federation signs certificates.
bool signs(const v1::Federation& federation) {
  return !federation.authority().empty() || federation.has_authority_secret();
}

/// Whether the federation has a certificate: one of files, or one that it signs itself.
bool has_certificate(const v1::Federation& federation) { return federation.has_tls() || signs(federation); }

/// Reports addresses that no certificate can name, and addresses for a certificate that others make.
void check_own_addresses(const Place& place, const v1::Federation& federation, Report& report) {
  const Place list = place.child("addresses");
  const bool signs_own = signs(federation) && !federation.has_tls();
  if (federation.addresses_size() > 0 && !signs_own)
    return report.add(list, "only with authority and without tls: another certificate has its addresses already");
  for (int i = 0; i < federation.addresses_size(); ++i) {
    const std::string& text = federation.addresses(i);
    if (IpAddress::parse(text) || model::is_host_name(text)) continue;
    report.add(list.item(static_cast<std::size_t>(i)),
               "expected a DNS name or an IP address (got " + shown(text) + ")");
  }
}

/// Reports patterns that no cluster can match, and authorities where nobody shows a certificate.
void check_authorities(const Place& place, const v1::Federation& federation, Report& report) {
  const Place list = place.child("cluster_authorities");
  if (federation.cluster_authorities_size() > 0 && !has_certificate(federation))
    return report.add(list, "needs tls: without certificates nobody can be told apart");
  const auto fits = [](char c) { return is_ldh_label(std::string(1, c)) || c == '-' || c == '*'; };
  for (int i = 0; i < federation.cluster_authorities_size(); ++i) {
    const Place entry = list.item(static_cast<std::size_t>(i));
    const Place names = entry.child("clusters");
    const auto& clusters = federation.cluster_authorities(i).clusters();
    for (int k = 0; k < clusters.size(); ++k) {
      if (std::all_of(clusters[k].begin(), clusters[k].end(), fits)) continue;
      const std::string problem = "expected letters, digits, hyphens, * (got " + shown(clusters[k]) + ")";
      report.add(names.item(static_cast<std::size_t>(k)), problem);
    }
  }
}

/// Reports files that belong to no server, and a server whose certificate nobody vouches for.
void check_clusters(const Place& list, const v1::Federation& federation, Report& report) {
  for (int i = 0; i < federation.kubernetes_size(); ++i) {
    const v1::KubernetesCluster& cluster = federation.kubernetes(i);
    const Place entry = list.item(static_cast<std::size_t>(i));
    const bool has_files = !cluster.ca_file().empty() || !cluster.token_file().empty();
    if (cluster.server().empty() && has_files) {
      report.add(entry.child(cluster.ca_file().empty() ? "token_file" : "ca_file"),
                 "only with server: without it, the files of the pod's service account are used");
    }
    if (!cluster.server().empty() && cluster.ca_file().empty()) report.add(entry.child("server"), "needs ca_file");
  }
}

/// Reports an API server that cannot be checked.
void check_api_server(const Place& place, const std::string& server, const std::string& ca_file, Report& report) {
  if (!server.empty() && ca_file.empty()) report.add(place, "ca_file is missing: it is needed with server");
}

/// Reports a lease of several instances whose objects are at only one of them.
void check_lease(const Place& place, const v1::Federation& federation, Report& report) {
  const Place store = place.child("store");
  const auto& objects = federation.store().kubernetes();
  check_api_server(store.child("kubernetes"), objects.server(), objects.ca_file(), report);
  if (!federation.has_lease()) return;
  const Place lease = place.child("lease");
  const auto& given = federation.lease().kubernetes();
  check_api_server(lease.child("kubernetes"), given.server(), given.ca_file(), report);
  if (federation.lease().duration().nanos() != 0) report.add(lease.child("duration"), "expected whole seconds");
  if (!federation.store().has_kubernetes()) {
    report.add(lease, "needs store: {kubernetes: {}}: the next leader would not have the objects");
  }
}

void check_federation(const Place& root, const v1::Meshdnsd& config, Report& report) {
  if (!has_role(config, "federation")) return;
  const auto& federation = config.federation();
  if (federation.listen().empty()) return report.add(root, "federation.listen is missing");
  const Place place = root.child("federation");
  const Protection protection{has_certificate(federation), federation.insecure()};
  check_lease(place, federation, report);
  check_own_addresses(place, federation, report);
  check_authority_secret(place.child("authority_secret"), federation, report);
  check_authorities(place, federation, report);
  check_clusters(place.child("kubernetes"), federation, report);
  if (federation.insecure() && !federation.has_tls() && signs(federation)) {
    report.add(place.child("insecure"), "not with authority: the federation signs its certificate and uses tls");
  } else {
    check_protection(place, protection, report);
  }
  check_plaintext(place.child("listen"), federation.listen(), protection, report);
  const auto most = federation.max_connections();
  if (most != 0 && federation.max_connections_per_address() > most) {
    report.add(place.child("max_connections_per_address"), fmt::format("more than max_connections ({})", most));
  }
}

/// Returns the names between braces in "{service}.{namespace}.{zone}"; nothing = the braces do not match.
std::optional<std::vector<std::string>> placeholders(std::string_view pattern) {
  std::vector<std::string> out;
  while (!pattern.empty()) {
    const auto open = pattern.find_first_of("{}");
    if (open == std::string_view::npos) return out;
    const auto close = pattern.find_first_of("{}", open + 1);
    if (pattern[open] != '{' || close == std::string_view::npos || pattern[close] != '}') return std::nullopt;
    out.emplace_back(pattern.substr(open + 1, close - open - 1));
    pattern.remove_prefix(close + 1);
  }
  return out;
}

void check_auto_hosts(const Place& place, const std::string& pattern, Report& report) {
  static const std::vector<std::string> known = {"service", "namespace", "zone"};
  if (pattern == "off") return;
  const auto words = placeholders(pattern);
  if (!words || !pattern.ends_with(".{zone}") || std::find(words->begin(), words->end(), "service") == words->end()) {
    return report.add(
        place,
        fmt::format("expected off, or names with {{service}} in it and .{{zone}} at the end (got {})", shown(pattern)));
  }
  for (const auto& word : *words) {
    if (std::find(known.begin(), known.end(), word) != known.end()) continue;
    report.add(place, fmt::format("unknown placeholder {{{}}}{}", shown(word), hint(did_you_mean(word, known), "{}")));
  }
}

void check_identity(const Place& dns, const v1::Dns& config, Report& report) {
  constexpr int kMostSecrets = 2;
  constexpr std::size_t kMostNsid = 64;  // bytes; small enough to fit into every answer
  if (config.cookie_secrets_size() > kMostSecrets) {
    const Place secrets = dns.child("cookie_secrets");
    report.add(secrets.item(kMostSecrets), "at most two: the one that signs, and the one before");
  }
  if (config.nsid().size() > kMostNsid) {
    report.add(dns.child("nsid"), fmt::format("expected at most 64 bytes (got {})", config.nsid().size()));
  }
}

/// Reports listeners that cannot be bound together, because a wildcard address takes the port of every address, and
/// link-local addresses without an interface.
void check_listen(const Place& list, const v1::Dns& config, Report& report) {
  const auto parsed = [&](int i) { return SocketAddress::parse(config.listen(i).address()); };
  for (int i = 0; i < config.listen_size(); ++i) {
    const auto one = parsed(i);
    if (one && one->ip.is_v6_link_local() && one->interface == 0) {
      const Place listener = list.item(static_cast<std::size_t>(i));
      report.add(listener.child("address"),
                 fmt::format("a link-local address is that of one interface: [{}%eth0]:{}", one->ip.text(), one->port));
    }
    if (!one || one->port == 0) continue;
    for (int k = 0; k < config.listen_size(); ++k) {
      const auto all = parsed(k);
      const bool takes = all && k != i && all->ip.is_unspecified() && !one->ip.is_unspecified() &&
                         all->port == one->port && all->ip.family() == one->ip.family();
      if (!takes) continue;
      const Place listener = list.item(static_cast<std::size_t>(i));
      report.add(listener.child("address"), fmt::format("{} beside it takes this port already", all->text()));
    }
  }
}

/// Reports forwarders that are neither a prefix nor a Service, or both, and prefixes that are given twice.
void check_forwarders(const Place& list, const v1::Dns& config, Report& report) {
  const v1::Rules& rules = rules_of(*v1::TrustedForwarder::descriptor()->FindFieldByName("prefix"));
  std::map<std::string, int> lines;
  for (int i = 0; i < config.trusted_forwarders_size(); ++i) {
    const v1::TrustedForwarder& forwarder = config.trusted_forwarders(i);
    const Place entry = list.item(static_cast<std::size_t>(i));
    const bool has_prefix = !forwarder.prefix().empty();
    if (has_prefix) {
      const Place prefix = entry.child("prefix");
      const auto [first, is_new] = lines.try_emplace(same_value_key(rules, forwarder.prefix()), prefix.node->line);
      if (!is_new) report.add(prefix, given_twice(first->second));
    }
    if (has_prefix == forwarder.has_kubernetes()) {
      report.add(entry, has_prefix ? "prefix and kubernetes exclude each other" : "needs prefix or kubernetes");
    }
  }
}

void check_dns(const Place& root, const v1::Meshdnsd& config, Report& report) {
  if (!has_role(config, "dns")) return;
  if (config.zones().empty()) report.add(root, "zones is missing: at least one is needed");
  if (config.dns().listen().empty()) report.add(root, "dns.listen is missing: at least one is needed");
  const Place dns = root.child("dns");
  check_auto_hosts(dns.child("auto_hosts"), config.dns().auto_hosts(), report);
  check_identity(dns, config.dns(), report);
  check_listen(dns.child("listen"), config.dns(), report);
  check_forwarders(dns.child("trusted_forwarders"), config.dns(), report);
  const Place records = dns.child("static_records");
  for (int i = 0; i < config.dns().static_records_size(); ++i) {
    const bool blank = trim(config.dns().static_records(i)).empty();
    if (blank) report.add(records.item(static_cast<std::size_t>(i)), "must not be empty");
  }
}

}  // namespace

void check_protection(const Place& section, Protection protection, Report& report) {
  if (protection.tls && protection.insecure) report.add(section.child("insecure"), "not with tls");
}

void check_plaintext(const Place& at, const std::string& address, Protection protection, Report& report) {
  const bool well_formed = !wrong_text(rules_of(*v1::Peer::descriptor()->FindFieldByName("address")), address);
  const bool listens = !wrong_text(rules_of(*v1::Federation::descriptor()->FindFieldByName("listen")), address);
  if (protection.tls || protection.insecure || is_on_this_host(address) || (!well_formed && !listens)) return;
  report.add(at, "plaintext only on loopback and unix sockets; set insecure: true or tls");
}

void check_dnsd(const Place& root, const v1::Meshdnsd& config, Report& report) {
  check_own_locality(root, config.locality(), report);
  check_roles(root, config, report);
  check_federation(root, config, report);
  if (config.has_identity()) {
    const bool tls = has_certificate(config.federation()) || config.replica().has_tls() || config.replica().has_join();
    const Place identity = root.child("identity");
    check_identity(identity, config.identity(), tls, report);
    if (config.identity().has_kubernetes())
      check_pod_identity(identity.child("kubernetes"), config.identity().kubernetes(), signs(config.federation()),
                         report);
  }
  check_replica(root, config, report);
  check_dns(root, config, report);
}

}  // namespace meshdns::config
