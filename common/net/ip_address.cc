#include "common/net/ip_address.h"

#include <arpa/inet.h>

#include <fmt/format.h>
#include <algorithm>
#include <cstring>

#include "common/base/check.h"

namespace meshdns {

Result<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton() reads no further than a zero, whatever comes after it
  const std::string zero_terminated(text.find('\0') == std::string_view::npos ? text : std::string_view());
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, zero_terminated.c_str(), bytes.data()) == 1) {
    return v4_bytes(std::span(bytes).first<4>());
  }
  if (inet_pton(AF_INET6, zero_terminated.c_str(), bytes.data()) == 1) return v6_bytes(bytes);
  return Error(Code::InvalidArgument, fmt::format("expected an IPv4 or IPv6 address (got \"{}\")", text));
}

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress out;
  const std::uint32_t network_order = htonl(host_order);
  std::memcpy(out.bytes_.data(), &network_order, sizeof network_order);
  return out;
}

IpAddress IpAddress::v4_bytes(std::span<const std::uint8_t, 4> bytes) {
  IpAddress out;
  std::copy(bytes.begin(), bytes.end(), out.bytes_.begin());
  return out;
}

IpAddress IpAddress::v6_bytes(std::span<const std::uint8_t, 16> bytes) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return v4_bytes(bytes.last<4>());
  IpAddress out;
  out.family_ = Family::V6;
  std::copy(bytes.begin(), bytes.end(), out.bytes_.begin());
  return out;
}

Result<IpAddress> IpAddress::from_bytes(std::string_view bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (bytes.size() == 4) return v4_bytes(std::span<const std::uint8_t, 4>(data, 4));
  if (bytes.size() == 16) return v6_bytes(std::span<const std::uint8_t, 16>(data, 16));
  return Error(Code::InvalidArgument, fmt::format("an address has 4 or 16 bytes, not {}", bytes.size()));
}

std::uint32_t IpAddress::v4_host_order() const {
  MESHDNS_CHECK(is_v4());
  std::uint32_t network_order = 0;
  std::memcpy(&network_order, bytes_.data(), sizeof network_order);
  return ntohl(network_order);
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.begin() + 15, [](auto b) { return b == 0; });
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](auto b) { return b == 0; });
}

std::string IpAddress::text() const {
  char out[INET6_ADDRSTRLEN];
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), out, sizeof out);
  return out;
}

}  // namespace meshdns
