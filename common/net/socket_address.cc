#include "common/net/socket_address.h"

#include <fmt/format.h>

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
  const auto ip = IpAddress::parse(host);
  const auto port = parse_uint(text.substr(colon + 1));
  const bool is_v6_text = host.find(':') != std::string_view::npos;
  if (!ip || !port || *port > 65535 || bracketed != is_v6_text) return bad;
  return SocketAddress{*ip, static_cast<std::uint16_t>(*port)};
}

std::string SocketAddress::text() const {
  return ip.is_v4() ? fmt::format("{}:{}", ip.text(), port) : fmt::format("[{}]:{}", ip.text(), port);
}

}  // namespace meshdns
