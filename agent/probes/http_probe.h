#pragma once

#include <memory>

#include "agent/probes/check.h"
#include "agent/probes/probe.h"
#include "common/http/client.h"

namespace meshdns::probes {

/// Sends one HTTP request and judges the status of the answer. `loop` must outlive the probe.
class HttpProbe : public Probe {
 public:
  HttpProbe(process::EventLoop& loop, const SocketAddress& where, HttpCheck check);

  void run(Duration timeout, Done done) override;

 private:
  health::ProbeResult judge(const Result<http::Response>& response, Duration timeout) const;

  process::EventLoop& loop_;
  http::ClientRequest request_;
  HttpCheck check_;
  std::shared_ptr<const HttpProbe*> alive_;  // a running exchange holds it weakly, and knows by it that the probe lives
};

}  // namespace meshdns::probes
