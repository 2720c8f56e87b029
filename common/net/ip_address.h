#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meshdns {

enum class Family : std::uint8_t { V4, V6 };

/// An IPv4 or IPv6 address in network byte order. IPv4-mapped IPv6 addresses become IPv4 when parsed.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static Result<IpAddress> parse(std::string_view text);
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v4_bytes(std::span<const std::uint8_t, 4> bytes);
  static IpAddress v6_bytes(std::span<const std::uint8_t, 16> bytes);
  /// Reads 4 or 16 bytes in network byte order.
  /// errors: InvalidArgument: another number of bytes
  static Result<IpAddress> from_bytes(std::string_view bytes);

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::V4; }
  int bits() const { return is_v4() ? 32 : 128; }
  /// Returns a view of the 4 or 16 bytes of this object, which must outlive the view. Temporary addresses are excluded.
  std::span<const std::uint8_t> bytes() const& { return std::span(bytes_).first(is_v4() ? 4 : 16); }
  void bytes() const&& = delete;
  /// requires: is_v4()
  std::uint32_t v4_host_order() const;
  bool is_loopback() const;
  bool is_unspecified() const;
  /// fe80::/10 (RFC 4291 2.5.6)
  bool is_v6_link_local() const { return !is_v4() && bytes_[0] == 0xFE && (bytes_[1] & 0xC0) == 0x80; }
  std::string text() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::V4;
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace meshdns
