#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::admin {

/// What operators can ask and tell; dnsd/app implements it over catalog and answers. Work that grows with the mesh is
/// done in slices: `done` is called at once where one slice is enough, else later, or never if the mesh ends before.
/// thread: control
class Mesh {
 public:
  virtual ~Mesh() = default;
  /// All objects or none; what is refused is in the reply. `done` when they are stored.
  virtual void apply(const v1::ApplyRequest& request, std::function<void(v1::ApplyReply)> done) = 0;
  /// All keys or none. errors: Unavailable: they cannot be stored
  virtual void erase(const v1::DeleteRequest& request, std::function<void(Result<v1::DeleteReply>)> done) = 0;
  /// One page. errors: InvalidArgument for a kind that does not exist or a wrong token, NotFound for a key,
  /// Unavailable: too many calls at once
  virtual void list(const v1::ListRequest& request, std::function<void(Result<v1::ListReply>)> done) = 0;
  /// One page. errors: InvalidArgument for a client or listener that is none, NotFound for a host that is not defined,
  /// Unavailable: the pages that the token is of are gone
  virtual Result<v1::ExplainReply> explain(const v1::ExplainRequest& request) = 0;
  /// What explain would say if operators had said something else; of one host `done` is called at once, of all hosts
  /// later. errors: InvalidArgument for a client, listener or target that is none, NotFound for a host that is not
  /// defined
  virtual void simulate(const v1::SimulateRequest& request, std::function<void(Result<v1::SimulateReply>)> done) = 0;
  /// What changed in answers, and why. `done` is called at once, unless it may wait and there is nothing yet.
  /// errors: NotFound for a host that is not defined and was not lately
  virtual void events(const v1::EventsRequest& request, std::function<void(Result<v1::EventsReply>)> done) = 0;
  /// What is suspicious in objects; one page. errors: InvalidArgument for a wrong token, Unavailable as of list()
  virtual void lint(const v1::LintRequest& request, std::function<void(Result<v1::LintReply>)> done) = 0;
  /// errors: Unavailable: too many calls at once
  virtual void status(std::function<void(Result<v1::StatusReply>)> done) = 0;
  /// The set that this replica refuses is taken when it comes again.
  /// errors: FailedPrecondition: this is not a replica, or it refuses none
  virtual Result<v1::ApproveShrinkReply> approve_shrink() = 0;
  /// Some of the queries that come. `done` is called a moment later. by: who asks, for the log
  /// errors: InvalidArgument for a host or prefix that is none; FailedPrecondition: another capture is under way
  virtual void capture(const v1::CaptureRequest& request, const std::string& by,
                       std::function<void(Result<v1::CaptureReply>)> done) = 0;
  /// Answers are served.
  virtual bool ready() = 0;
  /// Prometheus text. errors: Unavailable: too many calls at once
  virtual void metrics(std::function<void(Result<std::string>)> done) = 0;
};

}  // namespace meshdns::admin
