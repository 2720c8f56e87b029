#pragma once

namespace meshdns::process {

/// Few arenas for all threads: a message that one thread allocates and another frees leaves no hole in an arena that
/// nobody uses. At the start of the process, before there are threads.
void bound_arenas();

/// Gives free pages back to the system: after a large fill or restore, of which the working memory is free again. It
/// walks all free memory, some milliseconds for a gigabyte.
void release_free_memory();

}  // namespace meshdns::process
