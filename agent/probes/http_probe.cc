#include "agent/probes/http_probe.h"

#include <utility>

#include "agent/probes/failed_probe.h"

namespace meshdns::probes {

HttpProbe::HttpProbe(process::EventLoop& loop, http::ClientRequest request, StatusRange expected)
    : loop_(loop),
      request_(std::move(request)),
      expected_(expected),
      alive_(std::make_shared<const HttpProbe*>(this)) {}

void HttpProbe::run(Duration timeout, Done done) {
  http::get(loop_, request_, timeout,
            [alive = std::weak_ptr(alive_), timeout, call = std::move(done)](const Result<http::Response>& response) {
              if (const auto probe = alive.lock()) call((*probe)->judge(response, timeout));
            });
}

health::ProbeResult HttpProbe::judge(const Result<http::Response>& response, Duration timeout) const {
  if (!response) return failed_probe(response.error(), timeout, has_route(request_.address));
  if (response->status >= expected_.lowest && response->status <= expected_.highest) {
    return {.outcome = health::Outcome::Success};
  }
  return {health::Outcome::Failure, "http " + std::to_string(response->status)};
}

}  // namespace meshdns::probes
