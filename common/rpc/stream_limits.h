#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/rpc/quota.h"
#include "common/rpc/tide.h"

namespace meshdns::rpc {

/// Bounds how many streams are open on a port: in all, of one address, and of both those that have not said anything
/// yet. A stream costs memory before its first message tells whose it is; whoever opens more than it may is refused at
/// once.
/// thread: any
class StreamLimits : public std::enable_shared_from_this<StreamLimits> {
 public:
  struct Options {
    Quota::Limits open{65536, 16384};
    Quota::Limits silent{4096, 1024};  // without a whole first message
  };
  struct Counts {
    std::uint64_t open = 0;
    std::uint64_t silent = 0;
    std::uint64_t refused = 0;         // there were as many as there may be
    std::uint64_t refused_silent = 0;  // there were as many that have not said anything
  };

  /// An open stream. The counts fall when it goes.
  class Ticket {
   public:
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    /// The stream has said something.
    void spoke();

   private:
    friend class StreamLimits;
    Ticket(std::shared_ptr<StreamLimits> limits, std::string address);

    const std::shared_ptr<StreamLimits> limits_;
    const std::string address_;
    bool silent_ = true;  // under the mutex of the limits
  };

  explicit StreamLimits(Options options) : open_(options.open), silent_(options.silent) {}

  /// peer: as gRPC names peers
  /// returns: null = there are too many
  std::shared_ptr<Ticket> admit(std::string_view peer);
  Counts counts() const;
  /// True once after half of many streams are gone: then memory is worth giving back.
  bool ebbed();

 private:
  mutable std::mutex mutex_;  // of what follows
  Quota open_;
  Quota silent_;
  Counts counts_;
  Tide tide_;
};

/// Returns by which address a peer is counted, of IPv6 the /64; empty = it is on this machine and has none.
/// peer: as gRPC names peers
std::string quota_address(std::string_view peer);

}  // namespace meshdns::rpc
