#pragma once

#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// Returns the text of an event: when, which host, which endpoints were the cause, and what clients get now.
std::string event_view(const v1::Event& event);

/// Returns one line about a change or a refusal: when, who from where, what, and the outcome.
std::string change_view(const v1::Change& change);

}  // namespace meshdns::ctl
