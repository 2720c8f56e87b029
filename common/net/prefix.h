#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "common/net/ip_address.h"

namespace meshdns {

/// A CIDR prefix. All address bits after its length are zero.
class Prefix {
 public:
  Prefix() = default;  // 0.0.0.0/0
  /// Parses "10.0.0.0/8". An address alone is a /32 or /128.
  /// errors: InvalidArgument: not a prefix, or address bits are set after the length
  static Result<Prefix> parse(std::string_view text);
  /// Returns the prefix of an address; the bits after the length are cleared.
  /// length: 0 to address.bits()
  static Prefix of(const IpAddress& address, int length);
  static Prefix host(const IpAddress& address) { return of(address, address.bits()); }

  const IpAddress& address() const { return address_; }
  int length() const { return length_; }
  Family family() const { return address_.family(); }
  bool contains(const IpAddress& address) const;
  bool contains(const Prefix& other) const { return other.length_ >= length_ && contains(other.address_); }
  std::string text() const;

  friend auto operator<=>(const Prefix&, const Prefix&) = default;

 private:
  IpAddress address_;
  int length_ = 0;
};

}  // namespace meshdns
