#include "common/net/socket_address.h"

#include <net/if.h>

#include <fmt/format.h>
#include <array>

#include "common/base/text.h"

namespace meshdns {

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  const Error bad(Code::InvalidArgument,
                  fmt::format("expected address:port like 10.0.0.1:53 or [fd00::1]:53 (got \"{}\")", text));
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto percent = host.find('%');
  const std::string name(percent == std::string_view::npos ? std::string_view{} : host.substr(percent + 1));
  host = host.substr(0, percent);
  const auto ip = IpAddress::parse(host);
  const auto port = parse_uint(text.substr(colon + 1));
  const bool is_v6_text = host.find(':') != std::string_view::npos;
  if (!ip || !port || *port > 65535 || bracketed != is_v6_text) return bad;
  SocketAddress out{*ip, static_cast<std::uint16_t>(*port)};
  if (percent == std::string_view::npos) return out;
  if (ip->is_v4()) return bad;
  out.interface = ::if_nametoindex(name.c_str());
  if (out.interface == 0) {
    return Error(Code::InvalidArgument, fmt::format("there is no interface \"{}\" on this machine", name));
  }
  return out;
}

std::string SocketAddress::text() const {
  if (ip.is_v4()) return fmt::format("{}:{}", ip.text(), port);
  std::array<char, IF_NAMESIZE> name{};
  const bool named = interface != 0 && ::if_indextoname(interface, name.data()) != nullptr;
  return named ? fmt::format("[{}%{}]:{}", ip.text(), name.data(), port) : fmt::format("[{}]:{}", ip.text(), port);
}

}  // namespace meshdns
