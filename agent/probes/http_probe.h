#pragma once

#include <memory>

#include "agent/probes/probe.h"
#include "common/http/client.h"

namespace meshdns::probes {

struct StatusRange {
  int lowest = 200;
  int highest = 399;
};

/// Sends one request and looks at the status of the answer. `loop` must outlive it.
class HttpProbe : public Probe {
 public:
  HttpProbe(process::EventLoop& loop, http::Target target, StatusRange expected = {});

  void run(Duration timeout, Done done) override;

 private:
  health::ProbeResult judge(const Result<http::Response>& response, Duration timeout) const;

  process::EventLoop& loop_;
  http::Target target_;
  StatusRange expected_;
  std::shared_ptr<const HttpProbe*> alive_;  // what a running exchange holds weakly
};

}  // namespace meshdns::probes
