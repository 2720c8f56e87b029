#pragma once

#include <cstddef>
#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

inline constexpr std::size_t kColumns = 110;  // of what people read

/// What a client gets of a host, and why (docs/operations.md, "Why did I get this address"). No record is wrapped;
/// lists of addresses that do not fit end with how many more there are.
std::string explain_view(const v1::ExplainReply& reply);

/// The lines of its answer alone: which tier this client gets now, which others there are, the TTL.
std::string answer_lines(const v1::ExplainReply& reply);

}  // namespace meshdns::ctl
