#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meshdns::snapshot_file {

inline constexpr std::size_t kPart = std::size_t{1} << 18;  // bytes read at once: they stay in the processor's cache

/// Reads up to `most` bytes at the file's position and appends them to `out`.
/// returns: how many; 0 = the end, negative = errno says why not
std::ptrdiff_t read_some(int fd, std::string& out, std::size_t most);
/// Hands out the next `length` bytes of a file, part by part. returns: false = they are not there
bool read_parts(int fd, std::uint64_t length, const std::function<void(std::string_view)>& take);
/// returns: false = errno says why
bool write_all(int fd, std::string_view bytes);
/// Makes renames in a file's folder last.
void sync_folder(const std::string& path);

/// Gives the file this content, durably, or leaves it as it is.
/// errors: Unavailable, with the reason
Result<void> replace_file(const std::string& path, std::string_view content);

}  // namespace meshdns::snapshot_file
