#include "agent/discovery/check_reader.h"

#include <algorithm>
#include <optional>

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/text.h"
#include "common/config/http_status.h"

namespace meshdns::discovery {
namespace {

namespace v1 = config::v1;
using probes::PartCheck;

Duration duration_of(const google::protobuf::Duration& message) {
  return std::chrono::seconds(message.seconds()) + std::chrono::nanoseconds(message.nanos());
}

/// Returns the number of a port that is given by name or number. A number need not be a port of the endpoint.
std::uint16_t port_number(const model::Endpoint& endpoint, const std::string& wanted, std::string_view protocol) {
  if (const auto number = parse_uint(wanted)) return static_cast<std::uint16_t>(*number);
  const auto port = std::ranges::find_if(endpoint.ports, [&](const model::Port& candidate) {
    return candidate.name == wanted && (protocol.empty() || candidate.protocol == protocol);
  });
  MESHDNS_CHECK(port != endpoint.ports.end());
  return port->number;
}

template <class Message>
probes::Target target_of(const model::Endpoint& endpoint, const Message& check, std::string_view protocol) {
  probes::Target out;
  out.port = port_number(endpoint, check.port(), protocol);
  if (!check.address().empty()) out.address = IpAddress::parse(check.address()).value();
  return out;
}

probes::TlsOptions tls_of(const v1::CheckTls& options) {
  return {.server_name = options.server_name(),
          .verify = options.verify(),
          .ca = options.ca(),
          .cert = options.cert(),
          .key = options.key()};
}

template <class Message>
std::optional<probes::TlsOptions> tls_if_wanted(const Message& check) {
  if (!check.tls()) return std::nullopt;
  return tls_of(check.tls_options());
}

PartCheck tcp_check(const model::Endpoint& endpoint, const v1::TcpCheck& check) {
  return probes::TcpCheck{.to = target_of(endpoint, check, "TCP"),
                          .tls = tls_if_wanted(check),
                          .send = check.send(),
                          .expect = check.expect()};
}

std::vector<probes::StatusRange> statuses_of(const v1::HttpCheck& check) {
  std::vector<probes::StatusRange> out;
  for (const std::string& text : check.status()) {
    const auto range = config::status_codes_of(text);
    MESHDNS_CHECK(range.has_value());
    out.push_back({range->first, range->second});
  }
  return out.empty() ? std::vector{probes::StatusRange{}} : out;
}

PartCheck http_check(const model::Endpoint& endpoint, const v1::HttpCheck& check, bool tls) {
  probes::HttpCheck out{.to = target_of(endpoint, check, "TCP")};
  if (tls) out.tls = tls_of(check.tls_options());
  out.method = check.method();
  out.path = check.path();
  out.host = check.host();
  out.headers = {check.headers().begin(), check.headers().end()};
  out.status = statuses_of(check);
  out.contains = check.body().contains();
  out.regex = check.body().regex();
  return out;
}

PartCheck grpc_check(const model::Endpoint& endpoint, const v1::GrpcCheck& check) {
  return probes::GrpcCheck{.to = target_of(endpoint, check, "TCP"),
                           .tls = tls_if_wanted(check),
                           .service = check.service(),
                           .watch = check.watch()};
}

PartCheck udp_check(const model::Endpoint& endpoint, const v1::UdpCheck& check) {
  return probes::UdpCheck{.to = target_of(endpoint, check, "UDP"),
                          .send = check.send_hex().empty() ? check.send() : from_hex(check.send_hex()).value(),
                          .expect = check.expect()};
}

PartCheck dns_check(const model::Endpoint& endpoint, const v1::DnsCheck& check) {
  probes::DnsCheck out{.to = target_of(endpoint, check, check.tcp() ? "TCP" : "UDP")};
  out.name = check.name();
  out.type = check.type();
  out.rcode = check.rcode();
  if (!check.expect().empty()) out.expect = IpAddress::parse(check.expect()).value();
  out.tcp = check.tcp();
  return out;
}

PartCheck alias_check(const v1::AliasCheck& check) {
  const auto slash = check.endpoint().find('/');
  MESHDNS_CHECK(slash != std::string::npos);
  return probes::AliasCheck{check.endpoint().substr(0, slash), check.endpoint().substr(slash + 1)};
}

/// Returns the variables that tell a program which endpoint it checks.
std::map<std::string, std::string> environment_of(const model::Endpoint& endpoint) {
  std::vector<std::string> addresses;
  for (const IpAddress& address : endpoint.addresses) addresses.push_back(address.text());
  std::map<std::string, std::string> out = {{"MESHDNS_CHECK_ENDPOINT", endpoint.key},
                                            {"MESHDNS_CHECK_NAMESPACE", endpoint.namespace_},
                                            {"MESHDNS_CHECK_SERVICE", endpoint.service},
                                            {"MESHDNS_CHECK_ADDRESSES", join(addresses, " ")}};
  if (!addresses.empty()) out["MESHDNS_CHECK_ADDRESS"] = addresses.front();
  for (const model::Port& port : endpoint.ports) {
    const std::string number = std::to_string(port.number);
    out.emplace("MESHDNS_CHECK_PORT", number);  // the first port's
    std::string name = port.name;
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
    std::ranges::replace(name, '-', '_');
    if (!name.empty()) out["MESHDNS_CHECK_PORT_" + name] = number;
  }
  return out;
}

PartCheck exec_check(const model::Endpoint& endpoint, const v1::ExecCheck& check) {
  return probes::ExecCheck{.command = {check.command().begin(), check.command().end()},
                           .user = check.user(),
                           .environment = environment_of(endpoint)};
}

/// Returns the check of a kind that is no group; nothing = it is one. v1::Check and v1::PartCheck have the same names.
template <class Message>
std::optional<PartCheck> part_of(const model::Endpoint& endpoint, const Message& check) {
  switch (check.kind_case()) {
    case Message::kTcp: return tcp_check(endpoint, check.tcp());
    case Message::kHttp: return http_check(endpoint, check.http(), false);
    case Message::kHttps: return http_check(endpoint, check.https(), true);
    case Message::kGrpc: return grpc_check(endpoint, check.grpc());
    case Message::kUdp: return udp_check(endpoint, check.udp());
    case Message::kDns: return dns_check(endpoint, check.dns());
    case Message::kExec: return exec_check(endpoint, check.exec());
    case Message::kTtl: return probes::TtlCheck{duration_of(check.ttl().ttl())};
    case Message::kSystemd: return probes::SystemdCheck{check.systemd().unit()};
    case Message::kAlias: return alias_check(check.alias());
    case Message::kNone: return probes::NoneCheck{};
    default: return std::nullopt;
  }
}

probes::GroupCheck group_of(const model::Endpoint& endpoint, const v1::CheckGroup& group, std::size_t needed) {
  probes::GroupCheck out{.needed = needed};
  for (const auto& part : group.checks()) out.parts.push_back(part_of(endpoint, part).value());
  return out;
}

probes::AnyCheck what_of(const model::Endpoint& endpoint, const v1::Check& check) {
  switch (check.kind_case()) {
    case v1::Check::kAll: return group_of(endpoint, check.all(), static_cast<std::size_t>(check.all().checks_size()));
    case v1::Check::kAny: return group_of(endpoint, check.any(), 1);
    case v1::Check::kQuorum: return group_of(endpoint, check.quorum(), check.quorum().needed());
    default: break;
  }
  const auto part = part_of(endpoint, check);
  MESHDNS_CHECK(part.has_value());
  return std::visit([](const auto& kind) { return probes::AnyCheck(kind); }, *part);
}

}  // namespace

CheckSpec check_of(const model::Endpoint& endpoint, const v1::Check& check) {
  CheckSpec out{.what = what_of(endpoint, check)};
  out.settings.interval = duration_of(check.interval());
  out.settings.timeout = duration_of(check.timeout());
  out.settings.rise = check.rise();
  out.settings.fall = check.fall();
  return out;
}

}  // namespace meshdns::discovery
