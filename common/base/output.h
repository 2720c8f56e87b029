#pragma once

namespace meshdns {

// A program that is linked with this file opens /dev/null for reading in place of each standard descriptor (0, 1, 2)
// that is closed at the start. This happens before any library opens a file or an eventfd: such a file would get the
// free number, and output for standard output or error would go into it. Writing to the replaced descriptor fails.

/// Makes std::cout and std::cerr escape terminal control characters from now on, as printable() does
/// (common/base/printable.h), except line ends and tabs.
/// requires: nothing was written yet; call it at the start of main
void clean_output();

/// Flushes std::cout and closes standard output. Call it last, with the exit code that the program would end with: a
/// program whose output was lost (disk full, reader gone) has failed, and this reports it on standard error.
/// returns: `code`; 1 if it was 0 and output was lost
int end_output(int code);

}  // namespace meshdns
