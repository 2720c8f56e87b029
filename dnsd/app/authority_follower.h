#pragma once

#include <functional>

#include "common/base/result.h"
#include "common/kubernetes/client.h"
#include "common/process/event_loop.h"
#include "dnsd/app/kubernetes_settings.h"
#include "dnsd/enrolment/authority_secret.h"

namespace meshdns::dnsd::app {

/// Keeps the authority's copy in data_dir equal to the Secret while it exists.
/// thread: the loop's
class AuthorityFollower {
 public:
  /// loop, clock: must outlive this
  /// looked:      called after each round; may be empty
  AuthorityFollower(const AuthoritySecretSettings& settings, process::EventLoop& loop, const Clock& clock,
                    std::function<void()> looked = {});

  const enrolment::AuthoritySecret& secret() const { return secret_; }

 private:
  kubernetes::Client client_;
  enrolment::AuthoritySecret secret_;
};

/// Waits until data_dir has a copy of the authority. Returns at once if it has one, whatever the API server says.
/// requires: SIGTERM and SIGINT are held, see process::hold_signals()
/// errors:   Aborted: a signal came
Result<void> wait_for_authority(const AuthoritySecretSettings& settings, const Clock& clock);

}  // namespace meshdns::dnsd::app
