#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/config/checks.h"

// Checks of what meshdnsd.yaml and agent.yaml say of identity in Kubernetes.

namespace meshdns::config {
namespace {

using Names = google::protobuf::RepeatedPtrField<std::string>;

/// Whether a text is a service account, "meshdns/meshdns-agent".
bool is_account(std::string_view text) {
  const auto parts = split(text, '/');
  return parts.size() == 2 && is_ldh_label(parts[0]) && std::ranges::all_of(split(parts[1], '.'), is_ldh_label);
}

void check_accounts(const Place& list, const Names& names, Report& report) {
  for (int i = 0; i < names.size(); ++i) {
    if (is_account(names[i])) continue;
    report.add(list.item(static_cast<std::size_t>(i)),
               fmt::format("expected a service account like meshdns/meshdns-agent (got {})", shown(names[i])));
  }
}

/// Reports the files of an API server that is elsewhere, if they are missing.
template <class Section>
void check_server(const Place& place, const Section& section, Report& report) {
  if (section.server().empty()) return;
  if (!section.server().starts_with("https://"))
    report.add(place.child("server"), fmt::format("expected https://HOST[:PORT] (got {})", shown(section.server())));
  if (section.ca_file().empty()) report.add(place, "ca_file is missing: it is needed with server");
  if (section.token_file().empty()) report.add(place, "token_file is missing: it is needed with server");
}

}  // namespace

void check_pod_identity(const Place& place, const v1::KubernetesIdentity& config, bool signs, Report& report) {
  if (!signs) return report.add(place, "needs federation.authority or federation.authority_secret");
  if (config.agents().empty() && config.dns().empty()) report.add(place, "expected service accounts in agents or dns");
  const Place dns = place.child("dns");
  check_accounts(place.child("agents"), config.agents(), report);
  check_accounts(dns, config.dns(), report);
  for (int i = 0; i < config.dns_size(); ++i) {
    if (std::ranges::find(config.agents(), config.dns(i)) == config.agents().end()) continue;
    report.add(dns.item(static_cast<std::size_t>(i)), "in agents, too: a service account has one role");
  }
  check_server(place, config, report);
}

void check_authority_secret(const Place& place, const v1::Federation& federation, Report& report) {
  if (!federation.has_authority_secret()) return;
  if (!federation.authority().empty()) report.add(place, "not with authority: there is one or the other");
  check_server(place, federation.authority_secret(), report);
}

void check_join(const Place& place, const v1::Join& join, Report& report) {
  if (join.has_kubernetes() == !join.token_file().empty()) {
    report.add(place, join.has_kubernetes() ? "token_file: not with kubernetes; kubernetes has a token_file of its own"
                                            : "expected one of token_file, kubernetes");
  }
}

}  // namespace meshdns::config
