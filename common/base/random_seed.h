#pragma once

#include <cstdint>

namespace meshdns {

/// Returns a seed from the kernel. Random code takes a seeded engine, so that tests can repeat it; only main and the
/// wiring call this.
std::uint64_t random_seed();

}  // namespace meshdns
