#pragma once

namespace meshdns {

// A program that is linked with this opens /dev/null for reading in place of each standard descriptor (0, 1, 2) that is
// closed, before any library can open a file or an eventfd. Otherwise that would get the number, and what is meant for
// standard output or error would go there. Writing to such a descriptor fails.

/// From now on std::cout and std::cerr write what a terminal would obey, line ends and tabs excepted, as printable()
/// does (common/base/printable.h). For the start of main, before anything is written.
void clean_output();

/// Writes out what std::cout holds and closes standard output. Call it last, with the code that the program would end
/// with: a program whose output was lost (disk full, reader gone) has failed, and says so on standard error.
/// returns: `code`; 1 if it was 0 and output was lost
int end_output(int code);

}  // namespace meshdns
