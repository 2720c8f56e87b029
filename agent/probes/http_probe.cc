#include "agent/probes/http_probe.h"

#include <algorithm>
#include <utility>

#include "agent/probes/failed_probe.h"

namespace meshdns::probes {

HttpProbe::HttpProbe(process::EventLoop& loop, const SocketAddress& where, HttpCheck check)
    : loop_(loop), check_(std::move(check)), alive_(std::make_shared<const HttpProbe*>(this)) {
  request_.address = where;
  request_.host = check_.host;
  request_.path = check_.path;
  request_.method = check_.method;
  request_.headers = check_.headers;
}

void HttpProbe::run(Duration timeout, Done done) {
  http::get(loop_, request_, timeout,
            [alive = std::weak_ptr(alive_), timeout, call = std::move(done)](const Result<http::Response>& response) {
              if (const auto probe = alive.lock()) call((*probe)->judge(response, timeout));
            });
}

health::ProbeResult HttpProbe::judge(const Result<http::Response>& response, Duration timeout) const {
  if (!response) return failed_probe(response.error(), timeout, has_route(request_.address));
  const auto has = [&](const StatusRange& range) {
    return response->status >= range.lowest && response->status <= range.highest;
  };
  if (std::ranges::any_of(check_.status, has)) {
    return {.outcome = health::Outcome::Success};
  }
  return {health::Outcome::Failure, "http " + std::to_string(response->status)};
}

}  // namespace meshdns::probes
