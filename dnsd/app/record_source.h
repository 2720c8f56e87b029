#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/app/role.h"

namespace meshdns::dnsd::app {

/// The role by which a meshdnsd gets its records, and by which operators change them. Each process has exactly one:
///
///   FileRole         the endpoints file; operators' objects are kept in memory
///   FederationRole   agents report; operators' objects are stored
///   LeasedRole       a FederationRole, as soon as this instance has the lease
///   ReplicaRole      a federation sends everything; operators change nothing except local overrides
///
/// thread: control
class RecordSource : public Role {
 public:
  /// How often a source looks for records to forget, unless federation.forget_after is shorter.
  static constexpr Duration kForgetInterval = 10s;
  using Applied = std::function<void(v1::ApplyReply)>;
  using Erased = std::function<void(Result<v1::DeleteReply>)>;

  // ---- the start and the end; Daemon decides what happens in between ----

  /// Fills the catalog with the records that earlier runs have kept, or that a file lists.
  /// returns: whether DNS may be answered from these records; otherwise the source informs the Daemon later
  /// errors: a port cannot be bound, or the store cannot be used
  virtual Result<bool> open() = 0;
  /// Begins to exchange records with peers, and starts the timers.
  virtual void start() = 0;
  /// Ends the sessions with peers, and calls `done` then.
  /// requires: the loop still runs
  virtual void stop(std::function<void()> done) { done(); }
  /// Informs the source that the catalog has changed.
  virtual void changed() {}

  // ---- the calls of operators; see admin::Mesh ----

  virtual void apply(const v1::ApplyRequest& request, Applied done) = 0;
  virtual void erase(const v1::DeleteRequest& request, Erased done) = 0;
  virtual Result<v1::ApproveShrinkReply> approve_shrink() {
    return Error(Code::FailedPrecondition, "this is not a replica: it refuses no sets");
  }
  virtual Result<v1::TokenReply> token(const v1::TokenRequest&) {
    return Error(Code::FailedPrecondition, "this meshdnsd signs no certificates: federation.authority is not set");
  }
  /// Ends the overrides whose time is over.
  virtual void expire_overrides() = 0;

  // ---- for status lines and listings ----

  /// Returns the state of a node that is neither silent nor in doubt, as `get nodes` shows it.
  virtual std::string node_state(const std::string& node) const = 0;
  /// Whether records were lost and are being reported again.
  virtual bool recovering() const { return false; }
  /// Whether another instance of the federation leads, so that this one does nothing.
  virtual bool standby() const { return false; }
  /// Returns who reports here, like ", 6 agents"; empty = nobody can.
  virtual std::string reporters() const { return ""; }
  /// Returns whom this process follows, like ", following eu-1.example:7400"; empty = nobody.
  virtual std::string followed() const { return ""; }
};

}  // namespace meshdns::dnsd::app
