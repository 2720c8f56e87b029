#pragma once

#include <cstddef>

namespace meshdns {

/// Raises the process's soft limit of open files to `wanted`, as far as its hard limit allows; never lowers it.
/// returns: the soft limit after the call
std::size_t raise_descriptor_limit(std::size_t wanted);

}  // namespace meshdns
