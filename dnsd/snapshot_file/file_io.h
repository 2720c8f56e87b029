#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace meshdns::snapshot_file {

inline constexpr std::size_t kPart = std::size_t{1} << 18;  // bytes read at once: they stay in the processor's cache

/// Reads up to `most` bytes at the file's position and appends them to `out`.
/// returns: the number of bytes read; 0 = end of file, negative = failed, see errno
std::ptrdiff_t read_some(int fd, std::string& out, std::size_t most);
/// Passes the next `length` bytes of a file to `take`, part by part.
/// returns: false = the file ends before, or cannot be read
bool read_parts(int fd, std::uint64_t length, const std::function<void(std::string_view)>& take);

}  // namespace meshdns::snapshot_file
