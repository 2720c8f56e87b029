#pragma once

#include <cstdint>
#include <string>

namespace meshdns {

/// Returns why something that is valid for a time only cannot be used now: "expired at 2026-11-27T19:40:01Z",
/// "not valid before 2026-11-27T19:40:01Z". Empty = it can be used.
/// not_before, not_after, now: unix seconds
std::string validity_problem(std::int64_t not_before, std::int64_t not_after, std::int64_t now);

/// Returns a text that lets an operator see whether a clock is wrong, because a machine whose clock is wrong refuses
/// certificates that are valid: "this machine's clock says 2026-11-27T20:40:01Z (a clock may be wrong)".
std::string clock_hint(std::int64_t now);

}  // namespace meshdns
