#include "common/process/memory.h"

#include <malloc.h>

namespace meshdns::process {
namespace {

constexpr int kArenas = 4;

}  // namespace

void bound_arenas() { ::mallopt(M_ARENA_MAX, kArenas); }

void release_free_memory() { ::malloc_trim(0); }

}  // namespace meshdns::process
