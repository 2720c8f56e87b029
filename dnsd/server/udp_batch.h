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
/// that go to the same peer leave as one message that the kernel cuts (UDP_SEGMENT): forwarders with one upstream
/// socket get their answers for half the work.
/// thread: one
class UdpBatch {
 public:
  static constexpr unsigned kMost = 32;
  static constexpr std::size_t kBufferSize = 2048;

  UdpBatch();
  ~UdpBatch();

  /// Receives what is there, as recvmmsg() with these flags does.
  /// wildcard: the socket tells the address that was asked (IP_PKTINFO), and answers leave from there
  /// returns: how many datagrams
  unsigned receive(int socket, bool wildcard, int flags);
  std::span<const std::uint8_t> request(unsigned i) const noexcept;
  std::uint8_t* buffer(unsigned i) noexcept;
  const sockaddr_storage& peer(unsigned i) const noexcept;

  /// The answer stands in buffer(i). size: 0 = none is sent
  void set_answer(unsigned i, std::size_t size) noexcept;
  std::span<const std::uint8_t> answer(unsigned i) const noexcept;
  /// Sends the answers, those to one peer in the order in which it asked.
  void send(int socket);

  /// Whether runs go out as one message; false once the kernel or the device refused.
  bool segments() const noexcept { return segments_; }
  const query::Count& failed() const noexcept { return failed_; }        // answers that the kernel did not take
  const query::Count& segmented() const noexcept { return segmented_; }  // answers handed over in a message with others

 private:
  struct Memory;

  void prepare(unsigned count);
  void restore();
  bool continues_run(unsigned i) const noexcept;
  unsigned gather();
  void add_segment_size(msghdr& message) noexcept;
  void send_singly(int socket, const msghdr& run);

  std::unique_ptr<Memory> memory_;
  unsigned received_ = 0;
  bool wildcard_ = false;
  bool moved_ = false;  // gather() did more than look: headers do not stand by their buffers
  bool segments_ = true;
  query::Count failed_;
  query::Count segmented_;
};

}  // namespace meshdns::server
