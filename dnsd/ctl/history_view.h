#pragma once

#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// What changed in answers, newest last: when, of which host, which endpoints made it so, and what clients get now.
std::string event_view(const v1::Event& event);

}  // namespace meshdns::ctl
