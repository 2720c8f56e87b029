#include "agent/app/probe_factory.h"

#include "agent/probes/http_probe.h"
#include "agent/probes/tcp_probe.h"
#include "common/base/check.h"

namespace meshdns::agent::app {

namespace {

std::unique_ptr<probes::Probe> http_probe(process::EventLoop& loop, const SocketAddress& where,
                                          const discovery::CheckSpec& check) {
  http::ClientRequest request;
  request.address = where;
  request.host = check.host;
  request.path = check.path;
  return std::make_unique<probes::HttpProbe>(loop, std::move(request),
                                             probes::StatusRange{check.lowest_status, check.highest_status});
}

}  // namespace

std::unique_ptr<probes::Probe> make_probe(process::EventLoop& loop, const SocketAddress& where,
                                          const discovery::CheckSpec& check) {
  std::unique_ptr<probes::Probe> out;
  switch (check.kind) {
    case discovery::CheckSpec::Kind::Tcp: out = std::make_unique<probes::TcpProbe>(loop, where); break;
    case discovery::CheckSpec::Kind::Http: out = http_probe(loop, where, check); break;
  }
  MESHDNS_CHECK(out != nullptr);
  return out;
}

}  // namespace meshdns::agent::app
