#include "common/kubernetes/server.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/net/ip_address.h"

namespace meshdns::kubernetes {
namespace {

constexpr std::string_view kScheme = "https://";

Error wrong(std::string_view what, std::string_view text, const std::string& why) {
  return {Code::InvalidArgument, std::string(what) + " \"" + printable(text) + "\": " + why};
}

std::string_view without_brackets(std::string_view host) {
  const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return has_brackets ? host.substr(1, host.size() - 2) : host;
}

/// Whether the text can be a host in a header: nobody can add a line to a request through it.
bool is_host(std::string_view text) {
  if (IpAddress::parse(text)) return true;
  const std::string_view name = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
  return name.size() <= 253 && std::ranges::all_of(split(name, '.'), is_ldh_label);
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto number = parse_uint(text);
  if (!number || *number == 0 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

}  // namespace

std::string Server::authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Server> server_in_cluster(const Environment& environment, std::string_view folder) {
  const auto host = environment("KUBERNETES_SERVICE_HOST");
  const auto port = environment("KUBERNETES_SERVICE_PORT");
  if (!host || !port) {
    return Error{Code::FailedPrecondition,
                 "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this process runs in no pod"};
  }
  Server out;
  out.host = without_brackets(*host);
  if (!is_host(out.host)) return wrong("KUBERNETES_SERVICE_HOST", *host, "neither an IP address nor a name");
  const auto number = port_of(*port);
  if (!number) return wrong("KUBERNETES_SERVICE_PORT", *port, "not a port");
  out.port = *number;
  out.ca_file = std::string(folder) + "/ca.crt";
  out.token_file = std::string(folder) + "/token";
  return out;
}

Result<Server> server_at(std::string_view url, std::string ca_file, std::string token_file) {
  constexpr std::string_view kWhat = "API server";
  if (!url.starts_with(kScheme)) return wrong(kWhat, url, "a URL that begins with https:// is expected");
  std::string_view rest = url.substr(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) return wrong(kWhat, url, "a bracket is not closed");
  const std::size_t colon = rest.find(':', bracket);
  Server out;
  out.host = without_brackets(rest.substr(0, colon));
  if (!is_host(out.host)) return wrong(kWhat, url, "its host is neither an IP address nor a name");
  if (colon != std::string_view::npos) {
    const auto port = port_of(rest.substr(colon + 1));
    if (!port) return wrong(kWhat, url, "its port is none");
    out.port = *port;
  }
  out.ca_file = std::move(ca_file);
  out.token_file = std::move(token_file);
  return out;
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

}  // namespace meshdns::kubernetes
