#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::admin {

/// The interface between operators' calls and the daemon: what operators can ask and change. dnsd/app implements it
/// over the catalog and the answers; gRPC and HTTP call it. Work that grows with the mesh is done in slices: `done` is
/// called at once if one slice is enough, otherwise later, or never if the mesh ends before.
/// thread: control
class Mesh {
 public:
  virtual ~Mesh() = default;
  /// Applies all objects or none. The reply names refused objects. Calls `done` when the objects are stored.
  virtual void apply(const v1::ApplyRequest& request, std::function<void(v1::ApplyReply)> done) = 0;
  /// Deletes all keys or none.
  /// errors: Unavailable: the change cannot be stored
  virtual void erase(const v1::DeleteRequest& request, std::function<void(Result<v1::DeleteReply>)> done) = 0;
  /// Returns one page of a listing.
  /// errors: InvalidArgument for an unknown kind or a wrong token, NotFound for a key, Unavailable: too many calls at
  ///         once
  virtual void list(const v1::ListRequest& request, std::function<void(Result<v1::ListReply>)> done) = 0;
  /// Explains one page of a host's answer for a client.
  /// errors: InvalidArgument for an invalid client or listener, NotFound for a host that is not defined, Unavailable:
  ///         the answer to which the token belongs is gone
  virtual Result<v1::ExplainReply> explain(const v1::ExplainRequest& request) = 0;
  /// Returns what explain() would return with other overrides. Calls `done` at once for one host, later for all hosts.
  /// errors: InvalidArgument for an invalid client, listener or target, NotFound for a host that is not defined
  virtual void simulate(const v1::SimulateRequest& request, std::function<void(Result<v1::SimulateReply>)> done) = 0;
  /// Returns what changed in answers, and why. Calls `done` at once, unless the request may wait and there is no event
  /// yet.
  /// errors: NotFound for a host that is not defined and was not lately
  virtual void events(const v1::EventsRequest& request, std::function<void(Result<v1::EventsReply>)> done) = 0;
  /// Returns one page of suspicious findings in objects.
  /// errors: InvalidArgument for a wrong token, Unavailable as for list()
  virtual void lint(const v1::LintRequest& request, std::function<void(Result<v1::LintReply>)> done) = 0;
  /// errors: Unavailable: too many calls at once
  virtual void status(std::function<void(Result<v1::StatusReply>)> done) = 0;
  /// Makes this replica take the set that it refuses because the set removes too much, when the set comes again.
  /// errors: FailedPrecondition: this is not a replica, or it refuses no set
  virtual Result<v1::ApproveShrinkReply> approve_shrink() = 0;
  /// Captures some of the incoming queries. Calls `done` a moment later.
  /// by: the caller, for the log
  /// errors: InvalidArgument for an invalid host or prefix; FailedPrecondition: another capture is under way
  virtual void capture(const v1::CaptureRequest& request, const std::string& by,
                       std::function<void(Result<v1::CaptureReply>)> done) = 0;
  /// Makes, lists or revokes tokens.
  /// errors: FailedPrecondition: this process has no authority; InvalidArgument; NotFound; Unavailable
  virtual Result<v1::TokenReply> token(const v1::TokenRequest& request) = 0;
  /// Returns whether answers are served.
  virtual bool ready() = 0;
  /// Returns the metrics as Prometheus text.
  /// errors: Unavailable: too many calls at once
  virtual void metrics(std::function<void(Result<std::string>)> done) = 0;
};

}  // namespace meshdns::admin
