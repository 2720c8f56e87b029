#pragma once

#include <cstddef>
#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

inline constexpr std::size_t kColumns = 110;  // the width of text for people

/// Returns the text of `explain`: what a client gets for a host, and why. Rows are not wrapped; lists of addresses that
/// do not fit end with the number of further addresses.
/// source: docs/operations.md, "Find out why a client gets an address"
std::string explain_view(const v1::ExplainReply& reply);

/// Returns only the lines about the answer: the tier that the client gets now, the other tiers, the TTL.
std::string answer_lines(const v1::ExplainReply& reply);

}  // namespace meshdns::ctl
