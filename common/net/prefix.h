#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "common/net/ip_address.h"

namespace meshdns {

/// A CIDR prefix; no address bits behind the length.
class Prefix {
 public:
  Prefix() = default;  // 0.0.0.0/0
  /// "10.0.0.0/8"; an address alone is a /32 or /128; bits behind the length are an error
  static Result<Prefix> parse(std::string_view text);
  /// Bits behind the length are cleared. length: 0 to address.bits()
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
