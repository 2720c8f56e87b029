#pragma once

#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// Returns the tokens as a table for people.
std::string token_view(const v1::TokenReply& reply);

}  // namespace meshdns::ctl
