#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "dnsd/ctl/server_access.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// The Admin calls to the meshdnsd that a command talks to. Each call blocks until the answer or a deadline. Failures
/// to connect are described in words for operators.
class AdminClient {
 public:
  static constexpr std::uint32_t kRows = 500;  // rows in a page

  explicit AdminClient(const ServerAccess& server);
  ~AdminClient();

  Result<v1::ApplyReply> apply(const v1::ApplyRequest& request);
  Result<v1::DeleteReply> erase(const v1::DeleteRequest& request);
  /// Returns one page of a listing.
  Result<v1::ListReply> list(const v1::ListRequest& request);
  /// Returns all pages of a listing that is short: of operators' objects.
  Result<v1::ListReply> list_all(const std::string& kind);
  /// Returns all pages as one reply.
  /// rows: in each page
  Result<v1::ExplainReply> explain(v1::ExplainRequest request, std::uint32_t rows = kRows);
  Result<v1::SimulateReply> simulate(v1::SimulateRequest request, std::uint32_t rows = kRows);
  /// Returns events. If the request may wait, the server answers within seconds.
  /// patient: wait for a server that is away, for as long as an answer may take
  Result<v1::EventsReply> events(const v1::EventsRequest& request, bool patient = false);
  /// Returns who changed what, and who was refused.
  Result<v1::ChangesReply> changes();
  Result<v1::LintReply> lint(v1::LintRequest request, std::uint32_t rows = kRows);
  Result<v1::StatusReply> status();
  Result<v1::ApproveShrinkReply> approve_shrink();
  Result<v1::TokenReply> token(const v1::TokenRequest& request);
  Result<v1::CaptureReply> capture(const v1::CaptureRequest& request);

 private:
  struct Stub;
  ServerAccess server_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace meshdns::ctl
