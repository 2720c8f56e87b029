#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns::http {

/// The names by which a server may be asked.
///
/// A page in a browser can have its own name resolve to 127.0.0.1 (DNS rebinding), and then reads what a server there
/// answers, as if it were the page's own. The request still names the page in its Host header. So a request is answered
/// only if its Host is an address, which cannot be rebound, or a name that is the server's.
class HostNames {
 public:
  /// Localhost, the name of this host (as gethostname(2) has it, with and without its domain), and `more`.
  explicit HostNames(const std::vector<std::string>& more);

  /// host: the header's value: "localhost:7401", "[::1]:7401", "10.0.0.1"
  /// source: RFC 9110 7.2
  bool allow(std::string_view host) const;

 private:
  void add(std::string_view name);

  std::set<std::string, std::less<>> names_;  // in lower case, without the dot at the end
};

}  // namespace meshdns::http
