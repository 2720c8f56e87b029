#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/rpc/quota.h"
#include "common/rpc/tide.h"

namespace meshdns::rpc {

/// Limits how many streams are open on a port: all together, per address and per connection, with a lower limit for
/// streams that have not sent a message yet. A stream costs memory before its first message says who its peer is. A
/// stream over a limit is refused at once.
/// thread: any
class StreamLimits : public std::enable_shared_from_this<StreamLimits> {
 public:
  struct Options {
    Quota::Limits open{65536, 16384};
    Quota::Limits silent{4096, 1024};  // streams without a whole first message
    std::size_t connection = 1024;     // open streams of one connection
  };
  struct Counts {
    std::uint64_t open = 0;
    std::uint64_t silent = 0;
    std::uint64_t refused = 0;             // refused by Options::open
    std::uint64_t refused_silent = 0;      // refused by Options::silent
    std::uint64_t refused_connection = 0;  // refused by Options::connection
  };

  /// Counts one open stream for as long as the ticket lives.
  class Ticket {
   public:
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    /// Notes that the stream has sent a message.
    void spoke();

   private:
    friend class StreamLimits;
    Ticket(std::shared_ptr<StreamLimits> limits, std::string address, std::string connection);

    const std::shared_ptr<StreamLimits> limits_;
    const std::string address_;
    const std::string connection_;
    bool silent_ = true;  // guarded by the mutex of limits_
  };

  explicit StreamLimits(Options options)
      : open_(options.open), silent_(options.silent), connections_({kUnlimited, options.connection}) {}

  /// Counts a new stream.
  /// peer:    as gRPC names peers
  /// returns: null = a limit is reached; the stream must be refused
  std::shared_ptr<Ticket> admit(std::string_view peer);
  Counts counts() const;
  /// Returns true once after half of many streams are gone: a good moment to return memory to the system.
  bool ebbed();

 private:
  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

  mutable std::mutex mutex_;  // guards the members below
  Quota open_;
  Quota silent_;
  Quota connections_;  // open streams by connection; those of local peers, which have no address, are not in it
  Counts counts_;
  Tide tide_;
};

/// Returns the address for which a peer is counted, for IPv6 its /64; empty = the peer is local and has no address.
/// peer: as gRPC names peers
std::string quota_address(std::string_view peer);

}  // namespace meshdns::rpc
