#include "common/http/access.h"

#include <array>

#include "common/base/printable.h"
#include "common/base/text.h"

namespace meshdns::http {
namespace {

constexpr int kBadRequest = 400;
constexpr int kForbidden = 403;

/// A path of the HTTP port, and the part that the configuration calls it by.
struct Part {
  std::string_view name;
  std::string_view path;
};
constexpr std::array<Part, 3> kParts{{{"health", "/healthz"}, {"health", "/readyz"}, {"metrics", "/metrics"}}};

}  // namespace

Access::Access(const Settings& settings) : names_(settings.hosts, settings.listen) {
  for (const std::string& wanted : settings.public_parts) {
    for (const Part& part : kParts) {
      if (part.name == wanted) public_paths_.emplace(part.path);
    }
  }
}

std::optional<Refusal> Access::refuse(const Visit& visit) const {
  if (visit.hosts.size() > 1 || (visit.needs_host && visit.hosts.empty())) {
    return Refusal{kBadRequest, "an HTTP/1.1 request needs exactly one Host header"};
  }
  if (!visit.peer.is_loopback()) return refuse_beyond_loopback(visit);
  if (visit.hosts.empty() || names_.allow(visit.hosts.front())) return std::nullopt;
  return Refusal{kForbidden, "Host " + printable(visit.hosts.front()) +
                                 " is not this server, and may be a page of another site that makes its own name point "
                                 "here (DNS rebinding): ask by address, or add the name to admin.hosts"};
}

std::optional<Refusal> Access::refuse_beyond_loopback(const Visit& visit) const {
  if (public_paths_.contains(visit.path)) return std::nullopt;
  const std::string paths = join(std::vector<std::string>(public_paths_.begin(), public_paths_.end()), ", ");
  return Refusal{kForbidden, "admin.public allows " + (paths.empty() ? "nothing" : "only " + paths) + " to " +
                                 visit.peer.text() + ": ask for everything else on loopback, on the server's host"};
}

}  // namespace meshdns::http
