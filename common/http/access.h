#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/host_names.h"
#include "common/net/ip_address.h"

namespace meshdns::http {

/// The properties of a request that decide whether it is answered.
struct Visit {
  IpAddress peer{};
  std::string path{};                // decoded: "/v1/status"
  std::vector<std::string> hosts{};  // the values of all its Host headers
  bool needs_host = true;            // false = HTTP/1.0, which no browser speaks
};

/// A request that is not answered.
struct Refusal {
  int status = 0;
  std::string why;  // one sentence
};

/// Decides which requests an HTTP port answers. Pure.
///
/// A request from loopback must name this server in its Host header (HostNames), because it may come from a page of
/// another site in a browser on this machine. Other peers get the public parts only, by whatever name: a name that
/// points here shows nobody more than its address does.
class Access {
 public:
  struct Settings {
    IpAddress listen{};                       // the address of the port
    std::vector<std::string> hosts{};         // further names of this host, see HostNames
    std::vector<std::string> public_parts{};  // for peers beyond loopback: "metrics", "health"
  };
  explicit Access(const Settings& settings);

  /// returns: nothing = the request may be answered
  /// source: RFC 9112 3.2 (exactly one Host)
  std::optional<Refusal> refuse(const Visit& visit) const;

 private:
  std::optional<Refusal> refuse_beyond_loopback(const Visit& visit) const;

  HostNames names_;
  std::set<std::string, std::less<>> public_paths_;
};

}  // namespace meshdns::http
