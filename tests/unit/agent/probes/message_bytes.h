#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/check.h"

namespace meshdns::probes {

/// Returns the bytes of hexadecimal digits; spaces and lines between them do not count.
inline std::vector<std::byte> bytes_of(std::string_view digits) {
  std::vector<std::byte> out;
  std::string pair;
  for (const char c : digits) {
    if (c == ' ' || c == '\n') continue;
    pair += c;
    if (pair.size() < 2) continue;
    out.push_back(static_cast<std::byte>(std::stoi(pair, nullptr, 16)));
    pair.clear();
  }
  MESHDNS_CHECK(pair.empty());
  return out;
}

/// One message of sock_diag about a socket, as a little-endian kernel writes it.
struct DiagMessage {
  const char* family = "02";  // AF_INET; 0a = AF_INET6
  const char* port = "1f90";  // 8080, in network order
  const char* peer_port = "0000";
  const char* source = "0a000001 00000000 00000000 00000000";
  const char* peer = "00000000 00000000 00000000 00000000";
  const char* protocol = "05000a00 06000000";  // the attribute INET_DIAG_PROTOCOL: TCP
  const char* type = "1400";                   // SOCK_DIAG_BY_FAMILY
  const char* sequence = "00000000";

  static constexpr const char* kUdp = "05000a00 11000000";

  std::string text() const {
    const std::string id = std::string(port) + peer_port + source + peer + "00000000" + "0100000000000000";
    const std::string body = std::string(family) + "070000" + id + "00000000 00000000 00000000 00000000 00000000";
    const std::string rest = body + protocol;
    std::string length;
    const std::size_t size = 16 + bytes_of(rest).size();
    for (const std::size_t byte : {size & 0xff, size >> 8, std::size_t{0}, std::size_t{0}}) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      length += kDigits[byte >> 4];
      length += kDigits[byte & 15];
    }
    return length + type + "0000" + sequence + "00000000" + rest;
  }
  std::vector<std::byte> bytes() const { return bytes_of(text()); }
};

}  // namespace meshdns::probes
