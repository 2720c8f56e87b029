#include <fmt/format.h>
#include <algorithm>

#include "common/base/hex.h"
#include "common/base/text.h"
#include "common/config/checks.h"
#include "common/net/ip_address.h"

namespace meshdns::config {
namespace {

/// Whether the endpoint has a port of that name.
/// protocol: TCP or UDP; empty = either
bool has_port(const v1::EndpointEntry& endpoint, const std::string& name, std::string_view protocol) {
  return std::any_of(endpoint.ports().begin(), endpoint.ports().end(), [&](const v1::ServicePort& port) {
    return (protocol.empty() || port.protocol() == protocol) && port.name() == name;
  });
}

/// Reports a name that no port of the endpoint has. A number may be any port, also one that is not offered.
void check_port(const Place& place, const v1::EndpointEntry& endpoint, const std::string& wanted,
                std::string_view protocol, Report& report) {
  if (wanted.empty() || parse_uint(wanted) || has_port(endpoint, wanted, protocol)) return;
  if (has_port(endpoint, wanted, "")) {
    const char* other = protocol == "TCP" ? "UDP" : "TCP";
    return report.add(place, fmt::format("port {} is {}: this check needs a {} port", shown(wanted), other, protocol));
  }
  std::vector<std::string> names;
  for (const auto& port : endpoint.ports()) {
    names.push_back(port.name().empty() ? std::to_string(port.number()) : port.name());
  }
  report.add(place, fmt::format("the endpoint has no port {} (it has {})", shown(wanted), join(names, ", ")));
}

constexpr const char* kKinds = "tcp, http, https, grpc, udp, dns, exec, ttl, systemd, alias, none";

/// Whether the check has an unknown key. MessageReader has reported that key, which was probably meant as the kind, so
/// a missing kind need not be reported too.
bool names_another_kind(const Place& check, const google::protobuf::Descriptor& type) {
  const auto& children = check.node->children;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    if (type.FindFieldByName(children[i]->text) == nullptr) return true;
  }
  return false;
}

void check_hex(const Place& place, const v1::UdpCheck& udp, Report& report) {
  if (!udp.send_hex().empty() && !udp.send().empty()) report.add(place.child("send_hex"), "not with `send`");
  if (!from_hex(udp.send_hex()))
    report.add(place.child("send_hex"),
               fmt::format("expected pairs of hexadecimal digits (got {})", shown(udp.send_hex())));
}

/// Whether the text is a name that a DNS server can be asked for: labels of letters, digits, hyphens and underscores,
/// which services have (RFC 2782), or the root.
bool is_question_name(std::string_view text) {
  if (text == ".") return true;
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto is_label = [](std::string_view label) {
    constexpr std::size_t kLongestLabel = 63;  // RFC 1035 2.3.4
    const auto fits = [](char c) { return c == '_' || c == '-' || is_ldh_label({&c, 1}); };
    return !label.empty() && label.size() <= kLongestLabel && std::all_of(label.begin(), label.end(), fits);
  };
  const auto labels = split(text, '.');
  return text.size() <= 253 && std::all_of(labels.begin(), labels.end(), is_label);
}

void check_dns(const Place& place, const v1::DnsCheck& dns, Report& report) {
  if (!dns.name().empty() && !is_question_name(dns.name())) {
    report.add(place.child("name"),
               fmt::format("expected a DNS name like www.example.net (got {})", shown(dns.name())));
  }
  const auto address = IpAddress::parse(dns.expect());
  if (dns.expect().empty() || !address) return;
  const char* type = address->is_v4() ? "A" : "AAAA";
  if (dns.type() != type) report.add(place.child("expect"), fmt::format("needs type {}", type));
  if (dns.rcode() != "NOERROR") report.add(place.child("expect"), "needs rcode NOERROR");
}

void check_alias(const Place& place, const v1::AliasCheck& alias, Report& report) {
  const auto slash = alias.endpoint().find('/');
  if (!alias.endpoint().empty() && (slash == 0 || slash == std::string::npos || slash + 1 == alias.endpoint().size())) {
    report.add(place.child("endpoint"), fmt::format("expected NAMESPACE/SERVICE (got {})", shown(alias.endpoint())));
  }
}

void check_exec(const Place& place, const v1::ExecCheck& exec, Report& report) {
  const Place command = place.child("command");
  if (exec.command().empty() || exec.command(0).starts_with('/')) return;
  report.add(command.item(0), fmt::format("expected the absolute path of a program (got {})", shown(exec.command(0))));
}

void check_systemd(const Place& place, const v1::SystemdCheck& systemd, Report& report) {
  const auto dot = systemd.unit().rfind('.');
  if (systemd.unit().empty() || (dot != std::string::npos && dot > 0 && dot + 1 < systemd.unit().size())) return;
  report.add(place.child("unit"),
             fmt::format("expected a unit with its type, like nginx.service (got {})", shown(systemd.unit())));
}

/// Reports `tls_options` that cannot work, or that no TLS would use.
template <class Message>
void check_tls_of(const Place& place, const Message& check, Report& report) {
  const Place tcp = place.child("tcp"), http = place.child("http"), https = place.child("https");
  const Place grpc = place.child("grpc");
  if (check.has_tcp()) check_tls_options(tcp, check.tcp().tls_options(), check.tcp().tls(), report);
  if (check.has_http()) check_tls_options(http, check.http().tls_options(), false, report);
  if (check.has_https()) check_tls_options(https, check.https().tls_options(), true, report);
  if (check.has_grpc()) check_tls_options(grpc, check.grpc().tls_options(), check.grpc().tls(), report);
}

/// Reports what is wrong with the kind of a check or of a part of a group; both have the same kinds by the same names.
template <class Message>
void check_kind(const Place& place, const v1::EndpointEntry& endpoint, const Message& check, Report& report) {
  const auto port = [&](const char* kind, const std::string& wanted, std::string_view protocol) {
    const Place check_place = place.child(kind);
    check_port(check_place.child("port"), endpoint, wanted, protocol, report);
  };
  if (check.has_tcp()) port("tcp", check.tcp().port(), "TCP");
  if (check.has_http()) port("http", check.http().port(), "TCP");
  if (check.has_http()) check_http(place.child("http"), check.http(), report);
  if (check.has_https()) port("https", check.https().port(), "TCP");
  if (check.has_https()) check_http(place.child("https"), check.https(), report);
  if (check.has_grpc()) port("grpc", check.grpc().port(), "TCP");
  check_tls_of(place, check, report);
  if (check.has_udp()) port("udp", check.udp().port(), "UDP");
  if (check.has_udp()) check_hex(place.child("udp"), check.udp(), report);
  if (check.has_dns()) port("dns", check.dns().port(), check.dns().tcp() ? "TCP" : "UDP");
  if (check.has_dns()) check_dns(place.child("dns"), check.dns(), report);
  if (check.has_exec()) check_exec(place.child("exec"), check.exec(), report);
  if (check.has_systemd()) check_systemd(place.child("systemd"), check.systemd(), report);
  if (check.has_alias()) check_alias(place.child("alias"), check.alias(), report);
}

void check_group(const Place& place, const v1::EndpointEntry& endpoint, const v1::CheckGroup& group, bool counts,
                 Report& report) {
  const Place parts = place.child("checks");
  for (int i = 0; i < group.checks_size(); ++i) {
    const Place part = parts.item(static_cast<std::size_t>(i));
    if (!part.node->is(YamlNode::Kind::Map)) continue;
    if (group.checks(i).kind_case() == v1::PartCheck::KIND_NOT_SET &&
        !names_another_kind(part, *v1::PartCheck::descriptor())) {
      report.add(part, fmt::format("expected one of {}", kKinds));
    }
    check_kind(part, endpoint, group.checks(i), report);
  }
  const auto size = static_cast<std::uint32_t>(group.checks_size());
  if (!counts && group.needed() != 0) report.add(place.child("needed"), "only of quorum");
  if (counts && (group.needed() == 0 || group.needed() > size)) {
    report.add(place, fmt::format("expected `needed` between 1 and the number of checks, {}", size));
  }
}

void check_check(const Place& place, const v1::EndpointEntry& endpoint, const v1::Check& check, Report& report) {
  if (check.kind_case() == v1::Check::KIND_NOT_SET && !names_another_kind(place, *v1::Check::descriptor())) {
    report.add(place, fmt::format("expected one of {}, all, any, quorum", kKinds));
  }
  check_kind(place, endpoint, check, report);
  if (check.has_all()) check_group(place.child("all"), endpoint, check.all(), false, report);
  if (check.has_any()) check_group(place.child("any"), endpoint, check.any(), false, report);
  if (check.has_quorum()) check_group(place.child("quorum"), endpoint, check.quorum(), true, report);
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
    if (!file.endpoints(i).address().empty() && file.endpoints(i).addresses_size() > 0) {
      report.add(endpoint.child("addresses"), kNotBoth);
    }
    const Place checks = endpoint.child("checks");
    for (int j = 0; j < file.endpoints(i).checks_size(); ++j) {
      const Place check = checks.item(static_cast<std::size_t>(j));
      if (check.node->is(YamlNode::Kind::Map))
        check_check(check, file.endpoints(i), file.endpoints(i).checks(j), report);
    }
  }
}

}  // namespace meshdns::config
