#pragma once

#include "tests/support/dns/request.h"

namespace meshdns::test {

/// Keeps a packet that a test asks with in the folder $MESHDNS_RECORD_PACKETS, if there is one: a seed for query_fuzz
/// (tests/fuzz/record_seeds.py).
void record_packet(const Bytes& packet);

}  // namespace meshdns::test
