#include "dnsd/snapshot_file/digest.h"

#include <xxhash.h>

namespace meshdns::snapshot_file {

Digest::Digest() : state_(XXH3_createState()) { XXH3_64bits_reset(state_.get()); }

void Digest::add(std::string_view bytes) { XXH3_64bits_update(state_.get(), bytes.data(), bytes.size()); }

std::uint64_t Digest::value() const { return XXH3_64bits_digest(state_.get()); }

void Digest::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

}  // namespace meshdns::snapshot_file
