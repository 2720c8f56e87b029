#include "common/rpc/peer.h"

namespace meshdns::rpc {

std::optional<SocketAddress> peer_named(std::string_view name) {
  const auto colon = name.find(':');
  const std::string_view kind = name.substr(0, colon);
  if (colon == std::string_view::npos || (kind != "ipv4" && kind != "ipv6")) return std::nullopt;
  std::string text(name.substr(colon + 1));
  if (const auto open = text.find("%5B"); open != std::string::npos) text.replace(open, 3, "[");
  if (const auto close = text.find("%5D"); close != std::string::npos) text.replace(close, 3, "]");
  const auto scope = text.find("%25");
  if (scope != std::string::npos) text.erase(scope, text.find(']') - scope);
  const auto address = SocketAddress::parse(text);
  return address ? std::optional(*address) : std::nullopt;
}

std::string peer_text(std::string_view name) {
  const auto address = peer_named(name);
  return address ? address->text() : std::string(name.substr(0, name.find(':')));
}

}  // namespace meshdns::rpc
