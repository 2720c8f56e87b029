#pragma once

#include <string>

#include "common/http/message.h"
#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::agent::admin {

/// Returns an answer for people.
http::Response text(int status, std::string body);
/// Returns an answer for programs.
http::Response json(const google::protobuf::Message& message);

}  // namespace meshdns::agent::admin
