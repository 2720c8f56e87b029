#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "common/net/ip_address.h"
#include "dnsd/query/counters.h"

namespace meshdns::server {

/// Datagrams that are received together, answered each in its own buffer, and sent together. Neighbours of equal length
/// to the same peer are sent as one message that the kernel cuts (UDP_SEGMENT), which halves the work for forwarders
/// with one upstream socket.
/// thread: one
class UdpBatch {
 public:
  static constexpr unsigned kMost = 32;
  static constexpr std::size_t kBufferSize = 2048;

  UdpBatch();
  ~UdpBatch();

  /// Receives the datagrams that are there, as recvmmsg() does with these flags.
  /// wildcard: the socket reports the address that was asked (IP_PKTINFO), and answers are sent from there
  /// returns: the number of datagrams
  unsigned receive(int socket, bool wildcard, int flags);
  /// Returns the bytes of a datagram.
  std::span<const std::uint8_t> request(unsigned i) const noexcept;
  /// Returns its buffer of kBufferSize bytes.
  std::uint8_t* buffer(unsigned i) noexcept;
  /// Returns the address of its sender.
  const sockaddr_storage& peer(unsigned i) const noexcept;

  /// Sets the size of the answer in buffer(i).
  /// size: 0 = no answer is sent
  void set_answer(unsigned i, std::size_t size) noexcept;
  std::span<const std::uint8_t> answer(unsigned i) const noexcept;
  /// Sends the answers; those to one peer in the order of its queries.
  void send(int socket);

  /// Returns whether runs are sent as one message; false after the kernel or the device refused.
  bool segments() const noexcept { return segments_; }
  const query::Count& failed() const noexcept { return failed_; }        // answers that the kernel refused
  const query::Count& segmented() const noexcept { return segmented_; }  // answers sent in one message with others

 private:
  struct Memory;

  void prepare();
  void restore();
  bool continues_run(unsigned i) const noexcept;
  unsigned gather();
  void add_segment_size(msghdr& message) noexcept;
  void send_singly(int socket, const msghdr& run);

  std::unique_ptr<Memory> memory_;
  unsigned received_ = 0;
  bool wildcard_ = false;
  bool segments_ = true;
  query::Count failed_;
  query::Count segmented_;
};

}  // namespace meshdns::server
