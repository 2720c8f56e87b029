#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/admin/commands.h"
#include "agent/app/check_view.h"
#include "agent/app/local_state.h"
#include "agent/app/monitor.h"
#include "agent/report/syncer.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

/// Carries out the commands that come to the unix socket, on the parts of a running agent.
/// thread: the loop's
class LocalCommands : public admin::Commands {
 public:
  /// The parts must outlive the commands.
  struct Parts {
    const Clock& clock;
    LocalState& local;
    const report::Syncer& syncer;
    Monitor& monitor;
    std::string node;                       // its name, for people
    std::function<void()> listing_changed;  // called after the registrations have changed
  };

  explicit LocalCommands(Parts parts) : parts_(std::move(parts)) {}

  Result<v1::AgentChanges> register_endpoints(const std::string& text, const std::string& file) override;
  Result<v1::AgentChanges> deregister(const std::string& target) override;
  v1::AgentRegistrations registrations() override;
  Result<v1::AgentChanges> push(const std::string& target, admin::Said said, const std::string& detail) override;
  Result<v1::AgentChanges> drain(const std::string& target, const std::string& reason,
                                 std::optional<Duration> length) override;
  Result<v1::AgentChanges> undrain(const std::string& target) override;
  v1::AgentDrains drains() override;
  void check(const std::string& target, Runs done) override;

 private:
  v1::AgentChanges registered(const discovery::RegistrationChanges& changes);
  v1::AgentRegistration row_of(const discovery::Registration& entry) const;
  /// Returns the key of the only endpoint of a target that has a ttl check.
  Result<std::string> pushed(const std::string& target) const;
  Error unknown(const std::string& target) const;
  std::string name_of(const std::string& target) const { return target.empty() ? parts_.node : target; }

  Parts parts_;
};

}  // namespace meshdns::agent::app
