#pragma once

#include <string>

#include "common/identity/authorizer.h"

namespace meshdns::federation {

/// The origin of an agent's stream.
struct ReportPeer {
  bool here = true;       // the agent runs on this machine
  std::string address{};  // by which the stream is counted; empty = none
  identity::Caller caller{};
  std::string from{};  // for the audit: "10.0.0.7:52814"
};

}  // namespace meshdns::federation
