#include "agent/app/probe_factory.h"

#include "agent/probes/http_probe.h"
#include "agent/probes/tcp_probe.h"

namespace meshdns::agent::app {

std::unique_ptr<probes::Probe> make_probe(process::EventLoop& loop, const SocketAddress& where,
                                          const discovery::CheckSpec& check) {
  if (check.kind == discovery::CheckSpec::Kind::Tcp) return std::make_unique<probes::TcpProbe>(loop, where);
  http::ClientRequest request;
  request.address = where;
  request.host = check.host;
  request.path = check.path;
  return std::make_unique<probes::HttpProbe>(loop, std::move(request),
                                             probes::StatusRange{check.lowest_status, check.highest_status});
}

}  // namespace meshdns::agent::app
