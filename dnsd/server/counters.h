#pragma once

#include <cstdint>

#include "dnsd/query/counters.h"
#include "dnsd/server/latency.h"

namespace meshdns::server {

/// Sums over all workers. At rest tcp_accepted = tcp_open + tcp_closed + tcp_timed_out + tcp_evicted +
/// tcp_client_limit.
struct ServerTotals {
  query::Totals udp;
  query::Totals tcp;
  std::uint64_t udp_send_failed = 0;  // answers that the kernel refused
  std::uint64_t udp_segmented = 0;    // answers that were sent in one message with others to the same peer
  LatencyTotals udp_latency;
  std::uint64_t tcp_accepted = 0;
  std::uint64_t tcp_open = 0;
  std::uint64_t tcp_closed = 0;         // by the client, after an error, or because it sent no DNS
  std::uint64_t tcp_timed_out = 0;      // idle for too long, no first query, or a client that does not read
  std::uint64_t tcp_evicted = 0;        // closed as the longest idle one, to make room
  std::uint64_t tcp_accept_failed = 0;  // attempts, without descriptors or memory; the connection waits
  std::uint64_t tcp_client_limit = 0;   // closed as the longest idle one of its client, to make room
};

}  // namespace meshdns::server
