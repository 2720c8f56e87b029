#pragma once

#include "common/membership/member.h"
#include "common/time/time.h"

namespace meshdns::membership {

/// Gets a daemon's first certificate by a token or by the files of its pod, if there is none yet. Tries again while no
/// federation answers, until a signal asks the process to end. A pod also tries again after a refusal, because
/// Kubernetes replaces its token, and because the federation may learn of its service account later.
/// requires: SIGTERM and SIGINT are held, see process::hold_signals()
/// errors:   PermissionDenied, InvalidArgument: the token is refused; NotFound: the token's file cannot be read;
///           Aborted: a signal came
Result<void> join_mesh(const Member& member, const Clock& clock);

/// Waits for a while, or until a signal comes that ends the daemon. The signal stays for whoever handles it later.
/// requires: SIGTERM and SIGINT are held, see process::hold_signals()
/// returns:  whether a signal has come
bool must_end_within(Duration pause);

}  // namespace meshdns::membership
