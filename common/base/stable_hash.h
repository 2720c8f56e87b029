#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace meshdns {

/// Returns a well mixed hash of several texts that is the same in every process, on every machine and in every version
/// of the program, so that servers can make the same choice without talking. Not for keys that an attacker chooses.
/// The value is part of what clients see: it decides which of two equally near clusters a host prefers, and servers of
/// two versions run beside each other during an upgrade. So it stays FNV, though XXH3 is faster; tables use xxh3().
/// source: FNV-1a, then the finalizer of SplitMix64
std::uint64_t stable_hash(std::initializer_list<std::string_view> texts);

}  // namespace meshdns
