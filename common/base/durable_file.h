#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meshdns {

/// Writes all bytes.
/// returns: false = failed, see errno
bool write_all(int fd, std::string_view bytes);
/// Syncs the folder of a file, so that renames in it are durable.
void sync_folder(const std::string& path);

/// Replaces the content of a file durably, or leaves the file as it is. A file that is missing is created, with mode
/// 0600.
/// requires: other users cannot write to the folder
/// errors:   Unavailable, with the reason
Result<void> replace_file(const std::string& path, std::string_view content);

/// Like replace_file(), but in any folder: a file or link that somebody has put in the way of the content is not used.
/// mode:   of the file, without the bits of the umask
/// errors: Unavailable, with the reason
Result<void> put_file(const std::string& path, std::string_view content, unsigned mode);

}  // namespace meshdns
