#pragma once

#include <memory>

#include "agent/probes/probe.h"
#include "common/http/client.h"

namespace meshdns::probes {

/// The HTTP status codes that count as success, both ends included.
struct StatusRange {
  int lowest = 200;
  int highest = 399;
};

/// Sends one HTTP request and judges the status of the answer. `loop` must outlive the probe.
class HttpProbe : public Probe {
 public:
  HttpProbe(process::EventLoop& loop, http::ClientRequest request, StatusRange expected = {});

  void run(Duration timeout, Done done) override;

 private:
  health::ProbeResult judge(const Result<http::Response>& response, Duration timeout) const;

  process::EventLoop& loop_;
  http::ClientRequest request_;
  StatusRange expected_;
  std::shared_ptr<const HttpProbe*> alive_;  // a running exchange holds it weakly, and knows by it that the probe lives
};

}  // namespace meshdns::probes
