#pragma once

#include <string>

#include "common/membership/member.h"
#include "common/time/time.h"

namespace meshdns::membership {

/// Gets a daemon's first certificate by a token, if there is none yet. Tries again while no federation answers, until a
/// signal asks the process to end.
/// token_file: not read if there is a certificate
/// requires:   SIGTERM and SIGINT are held, see process::hold_signals()
/// errors:     PermissionDenied, InvalidArgument: the token is refused; NotFound: the token's file cannot be read;
///             Aborted: a signal came
Result<void> join_mesh(const Member& member, const std::string& token_file, const Clock& clock);

}  // namespace meshdns::membership
