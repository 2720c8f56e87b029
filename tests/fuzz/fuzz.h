#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/check.h"

namespace meshdns::fuzz {

/// A copy that ends where its memory ends, so that the sanitizer sees one byte too far.
inline std::vector<std::uint8_t> exact(const std::uint8_t* data, std::size_t size) { return {data, data + size}; }

}  // namespace meshdns::fuzz

/// What libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
