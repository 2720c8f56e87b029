#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dnsd/app/mesh_state.h"
#include "dnsd/app/record_source.h"
#include "dnsd/lease/lease.h"

namespace meshdns::dnsd::app {

/// A federation of which only one instance leads at a time: stands by until it has the lease, and is the federation
/// from then on.
///
/// A standby opens no port and writes nothing: it is not ready, answers no DNS, and refuses the calls that change
/// something. A leader that loses the lease stays what it is until the process ends, which has to be soon: somebody
/// else leads. The next process stands by again. That is simpler than a way back, and nothing of the old leadership is
/// left.
/// thread: the loop's, except end()
class LeasedRole : public RecordSource {
 public:
  /// All references must outlive the role.
  struct Environment {
    process::EventLoop& loop;
    const Clock& clock;
    lease::Lease::Options lease;
  };

  LeasedRole(std::unique_ptr<RecordSource> role, Environment environment);

  /// Begins to campaign for the lease.
  void campaign(lease::Lease::Events events);

  Result<bool> open() override { return role_->open(); }
  void start() override;
  /// Ends the sessions, then gives the lease back, so that the next leader finds nobody here.
  void stop(std::function<void()> done) override;
  void end() override;
  void reload() override;
  void changed() override;

  void apply(const v1::ApplyRequest& request, Applied done) override;
  void erase(const v1::DeleteRequest& request, Erased done) override;
  void expire_overrides() override;
  Result<v1::ApproveShrinkReply> approve_shrink() override;
  Result<v1::TokenReply> token(const v1::TokenRequest& request) override;

  std::string node_state(const std::string& node) const override;
  bool recovering() const override { return leads_ && role_->recovering(); }
  bool standby() const override { return !leads_; }
  std::string reporters() const override { return leads_ ? role_->reporters() : ""; }
  void write(v1::StatusReply& out) const override;
  void collect(std::vector<metrics::Sample>& out) const override;

 private:
  /// Returns why a standby changes nothing.
  std::string refusal() const;

  std::unique_ptr<RecordSource> role_;
  Environment env_;
  bool leads_ = false;  // from start() on
  std::unique_ptr<lease::Lease> lease_;
};

}  // namespace meshdns::dnsd::app
