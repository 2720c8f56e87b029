#include <fmt/format.h>
#include <algorithm>

#include "common/base/text.h"
#include "common/config/checks.h"

namespace meshdns::config {
namespace {

bool has_port(const v1::EndpointEntry& endpoint, const std::string& wanted, std::string_view protocol) {
  const auto number = parse_uint(wanted);
  return std::any_of(endpoint.ports().begin(), endpoint.ports().end(), [&](const v1::ServicePort& port) {
    return port.protocol() == protocol && (number ? port.number() == *number : port.name() == wanted);
  });
}

void check_port(const Place& place, const v1::EndpointEntry& endpoint, const std::string& wanted, Report& report) {
  if (wanted.empty() || has_port(endpoint, wanted, "TCP")) return;
  if (has_port(endpoint, wanted, "UDP")) {
    return report.add(place, fmt::format("port {} is UDP: this check needs a TCP port", shown(wanted)));
  }
  std::vector<std::string> names;
  for (const auto& port : endpoint.ports()) {
    names.push_back(port.name().empty() ? std::to_string(port.number()) : port.name());
  }
  report.add(place, fmt::format("the endpoint has no port {} (it has {})", shown(wanted), join(names, ", ")));
}

/// Reports characters that are not visible ASCII: in a request line or Host header they would be sent unchanged, or
/// split the line.
void check_sendable(const Place& place, const std::string& text, Report& report) {
  const bool fine = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
  if (!fine) report.add(place, fmt::format("expected visible ASCII characters, others as %XX (got {})", shown(text)));
}

/// Whether the check has an unknown key. MessageReader has reported that key, which was probably meant as the kind, so
/// a missing kind need not be reported too.
bool names_another_kind(const Place& check) {
  const auto& children = check.node->children;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    if (v1::Check::descriptor()->FindFieldByName(children[i]->text) == nullptr) return true;
  }
  return false;
}

void check_check(const Place& place, const v1::EndpointEntry& endpoint, const v1::Check& check, Report& report) {
  if (check.kind_case() == v1::Check::KIND_NOT_SET && !names_another_kind(place)) {
    report.add(place, "expected one of tcp, http");
  }
  if (check.has_tcp()) {
    const Place tcp = place.child("tcp");
    check_port(tcp.child("port"), endpoint, check.tcp().port(), report);
  }
  if (!check.has_http()) return;
  const Place http = place.child("http");
  check_port(http.child("port"), endpoint, check.http().port(), report);
  if (!check.http().path().starts_with('/')) {
    report.add(http.child("path"),
               fmt::format("expected a path that starts with / (got {})", shown(check.http().path())));
  } else {
    check_sendable(http.child("path"), check.http().path(), report);
  }
  check_sendable(http.child("host"), check.http().host(), report);
}

}  // namespace

void check_agent(const Place& root, const v1::Agent& config, Report& report) {
  check_own_locality(root, config.locality(), report);
  if (root.node->find("federation") == nullptr) return report.add(root, "federation.servers is missing");
  const Place federation = root.child("federation");
  const Place servers = federation.child("servers");
  if (config.federation().has_tls() && config.federation().has_join()) {
    report.add(federation.child("join"), kNotBoth);
  }
  const Place join = federation.child("join");
  if (config.federation().has_join()) check_join(join, config.federation().join(), report);
  if (!config.federation().join().name().empty()) report.add(join.child("name"), "not for an agent: it has `node`");
  const bool tls = config.federation().has_tls() || config.federation().has_join();
  const Protection protection{tls, config.federation().insecure()};
  check_protection(federation, protection, report);
  if (config.has_identity()) check_identity(root.child("identity"), config.identity(), protection.tls, report);
  if (config.identity().has_kubernetes()) {
    const Place identity = root.child("identity");
    report.add(identity.child("kubernetes"), "only in the meshdnsd.yaml of a federation");
  }
  for (int i = 0; i < config.federation().servers_size(); ++i) {
    check_plaintext(servers.item(static_cast<std::size_t>(i)), config.federation().servers(i), protection, report);
  }
}

void check_endpoints(const Place& root, const v1::EndpointsFile& file, Report& report) {
  const Place list = root.child("endpoints");
  for (int i = 0; i < file.endpoints_size(); ++i) {
    const Place endpoint = list.item(static_cast<std::size_t>(i));
    const Place checks = endpoint.child("checks");
    for (int j = 0; j < file.endpoints(i).checks_size(); ++j) {
      const Place check = checks.item(static_cast<std::size_t>(j));
      if (check.node->is(YamlNode::Kind::Map))
        check_check(check, file.endpoints(i), file.endpoints(i).checks(j), report);
    }
  }
}

}  // namespace meshdns::config
