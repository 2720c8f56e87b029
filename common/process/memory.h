#pragma once

namespace meshdns::process {

/// Limits malloc to a few arenas for all threads. Messages are allocated on one thread and freed on another; with an
/// arena per thread, the freed memory would stay in arenas that no thread uses.
/// requires: no other thread is running
void bound_arenas();

/// Returns free pages to the system. Call it after a large temporary use of memory, like reading a snapshot. It walks
/// all free memory, which takes some milliseconds for a gigabyte.
void release_free_memory();

}  // namespace meshdns::process
