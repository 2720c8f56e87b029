#pragma once

#include "tests/support/dns/request.h"

namespace meshdns::test {

/// Writes a packet with which a test asks into the folder $MESHDNS_RECORD_PACKETS, if that is set. The packets are
/// seeds for query_fuzz (tests/fuzz/record_seeds.py).
void record_packet(const Bytes& packet);

}  // namespace meshdns::test
