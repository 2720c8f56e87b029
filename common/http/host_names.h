#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/ip_address.h"

namespace meshdns::http {

/// The host names that an HTTP server accepts in the Host header. Protects against DNS rebinding.
///
/// A web page can make its own name resolve to 127.0.0.1, and then read a local server's answers as if they came from
/// the page's own site. The Host header of such a request still has the page's name. So a request is answered only if
/// its Host is an address at which the server listens, or one of the server's own names. An address cannot be rebound.
class HostNames {
 public:
  /// Accepts localhost, loopback addresses, the name of this host (from gethostname(2), with and without its domain),
  /// and `more`.
  /// listen: another address to accept; 0.0.0.0 and :: stand for all addresses
  explicit HostNames(const std::vector<std::string>& more, const IpAddress& listen = {});

  /// Whether a request may be answered.
  /// host: the Host header's value: "localhost:7401", "[::1]:7401", "10.0.0.1"
  /// source: RFC 9110 7.2
  bool allow(std::string_view host) const;

 private:
  void add(std::string_view name);
  bool is_own(const IpAddress& address) const;

  const IpAddress listen_;
  std::set<std::string, std::less<>> names_;  // in lower case, without the dot at the end
};

}  // namespace meshdns::http
