#pragma once

#include "agent/app/configuration.h"

namespace meshdns::agent::app {

/// Gets this node's first certificate by its token, if there is none yet. Tries again while no federation answers, until
/// a signal asks the process to end.
/// requires: configuration.token_file()
/// errors:   PermissionDenied, InvalidArgument: the token is refused; NotFound: the token's file cannot be read;
///           Aborted: a signal came
Result<void> join_mesh(const Configuration& configuration);

}  // namespace meshdns::agent::app
