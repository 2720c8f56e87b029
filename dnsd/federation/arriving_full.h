#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/rpc/quota.h"
#include "dnsd/federation/refusals.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

/// A Full that is arriving in parts: keeps its records until the last part is here, up to the node's share. Used by
/// ReportSession. Pure.
/// thread: control
class ArrivingFull {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{16} << 20;  // encoded records

  /// The reason why a part is not taken.
  struct Refused {
    v1::Goodbye::Reason reason{};
    std::string message;
    Duration retry_after{};
  };

  /// quota:   for the encoded records of all agents; must outlive this or the next drop()
  /// address: by which the agent's share is counted
  ArrivingFull(rpc::Quota& quota, const std::string& address) : encoded_(quota, address) {}

  /// Makes room for a part. The first part drops a Full that was begun before.
  /// returns: nothing = keep() may be called with the part's records
  std::optional<Refused> begin_part(const v1::Full& full);
  /// Returns whether a Full has begun and not ended.
  bool arriving() const { return part_.has_value(); }
  /// Keeps records of the present part. Records beyond the node's share are refused.
  void keep(std::vector<model::Endpoint> endpoints);
  /// The refused records of all parts so far.
  Refusals& refusals() { return refusals_; }

  /// The records of a Full, and those that were refused.
  struct Taken {
    std::vector<model::Endpoint> endpoints;
    Refusals refusals;
  };
  /// Returns everything that was kept, and ends the Full.
  Taken take();
  /// Forgets the Full.
  void drop();

 private:
  std::optional<std::uint32_t> part_;  // the next part; nothing = no Full is arriving
  std::vector<model::Endpoint> kept_;  // records so far
  std::size_t kept_bytes_ = 0;         // text_bytes() of kept_
  Refusals refusals_;
  rpc::Quota::Share encoded_;  // encoded bytes of the records so far
};

}  // namespace meshdns::federation
