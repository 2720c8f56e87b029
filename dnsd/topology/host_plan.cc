#include "dnsd/topology/host_plan.h"

#include "common/net/socket_address.h"

namespace meshdns::topology {

std::string_view standing_name(Standing standing) {
  switch (standing) {
    case Standing::Serving: return "serving";
    case Standing::Draining: return "draining";
    case Standing::Silent: return "silent";
    case Standing::Failing: return "failing";
    case Standing::Out: return "out";
  }
  return "out";
}

std::string Candidate::address_text() const {
  const bool out_names_it = !v4 && out && (out->is_v4() || !v6);
  const IpAddress address = v4 ? *v4 : out_names_it ? *out : v6.value_or(IpAddress{});
  return SocketAddress{address, port}.text();
}

}  // namespace meshdns::topology
