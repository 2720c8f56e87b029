#pragma once

#include <cstdint>

namespace meshdns {

/// A seed from the kernel. Everything random takes a seeded engine; only the rim asks for a seed.
std::uint64_t random_seed();

}  // namespace meshdns
