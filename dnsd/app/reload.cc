#include "dnsd/app/reload.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>

namespace meshdns::app {

bool same_listeners(const answers::Settings& a, const answers::Settings& b) {
  return std::ranges::equal(a.listeners, b.listeners, {}, &answers::ListenerSettings::text,
                            &answers::ListenerSettings::text);
}

std::vector<std::string> keep_what_cannot_change(const Configuration& running, Configuration& next) {
  std::vector<std::string> kept;
  const auto keep = [&](const char* what, bool differs) {
    if (differs) kept.emplace_back(what);
    return differs;
  };
  if (keep("dns.listen", !same_listeners(next.answers, running.answers))) {
    next.answers.listeners = running.answers.listeners;
    *next.file.mutable_dns()->mutable_listen() = running.file.dns().listen();
  }
  keep("cluster", next.file.cluster() != running.file.cluster());
  keep("federation.listen", next.file.federation().listen() != running.file.federation().listen());
  keep("federation.max_connections",
       next.file.federation().max_connections() != running.file.federation().max_connections());
  keep("federation.max_connections_per_address",
       next.file.federation().max_connections_per_address() != running.file.federation().max_connections_per_address());
  keep("tls", next.tls != running.tls);
  const auto same = [](const google::protobuf::Message& a, const google::protobuf::Message& b) {
    return google::protobuf::util::MessageDifferencer::Equals(a, b);
  };
  keep("dns.tcp", !same(next.file.dns().tcp(), running.file.dns().tcp()));
  keep("dns.dnstap", !same(next.file.dns().dnstap(), running.file.dns().dnstap()));
  keep("dns.cpu_steering", next.file.dns().cpu_steering() != running.file.dns().cpu_steering());
  keep("dns.workers", next.file.dns().workers() != running.file.dns().workers());
  const auto& admin = running.file.admin();
  keep("admin", next.file.admin().listen() != admin.listen() || next.file.admin().socket() != admin.socket());
  return kept;
}

}  // namespace meshdns::app
