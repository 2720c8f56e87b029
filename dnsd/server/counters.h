#pragma once

#include <cstdint>

#include "dnsd/query/counters.h"
#include "dnsd/server/latency.h"

namespace meshdns::server {

/// Sums over all workers. tcp_accepted = tcp_open + tcp_closed + tcp_timed_out + tcp_evicted +
/// tcp_client_limit.
struct ServerTotals {
  query::Totals udp;
  query::Totals tcp;
  std::uint64_t udp_send_failed = 0;  // answers that the kernel did not take
  std::uint64_t udp_segmented = 0;    // answers that left in one message with others of the same peer
  LatencyTotals udp_latency;
  std::uint64_t tcp_accepted = 0;
  std::uint64_t tcp_open = 0;
  std::uint64_t tcp_closed = 0;         // by the client, by an error, or because it sent no DNS
  std::uint64_t tcp_timed_out = 0;      // idle, no first query, or not reading
  std::uint64_t tcp_evicted = 0;        // the longest idle one made room
  std::uint64_t tcp_accept_failed = 0;  // attempts, for want of descriptors or memory; the connection waits
  std::uint64_t tcp_client_limit = 0;   // the same, for another one of its own client
};

}  // namespace meshdns::server
