#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "dnsd/ctl/server.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// The federation that the command talks to.
class Client {
 public:
  explicit Client(const Server& server);
  ~Client();

  Result<v1::ApplyReply> apply(const v1::ApplyRequest& request);
  Result<v1::DeleteReply> erase(const v1::DeleteRequest& request);
  Result<v1::ListReply> list(const std::string& kind, const std::string& key);
  Result<v1::ExplainReply> explain(const v1::ExplainRequest& request);
  Result<v1::SimulateReply> simulate(const v1::SimulateRequest& request);
  /// Answers within seconds where the request may wait.
  Result<v1::EventsReply> events(const v1::EventsRequest& request);
  Result<v1::LintReply> lint(const v1::LintRequest& request);
  Result<v1::StatusReply> status();
  Result<v1::ApproveShrinkReply> approve_shrink();
  Result<v1::CaptureReply> capture(const v1::CaptureRequest& request);

 private:
  struct Stub;
  Server server_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace meshdns::ctl
