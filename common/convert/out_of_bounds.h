#pragma once

#include <cstddef>

#include "common/time/time.h"
#include "meshdns/v1/federation.pb.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::convert {

/// The durations of one message of a peer that are out of bounds (peer_bounds.h). The conversions replace each of them
/// by the bound without a word; whoever reads the message counts and logs them by this.
struct OutOfBounds {
  std::size_t count = 0;
  const char* field = "";  // of the first one, like "health.in_state"
  Duration said{};         // the first one, cut to 100 years

  explicit operator bool() const { return count > 0; }
};

OutOfBounds out_of_bounds(const v1::Endpoint& endpoint);
OutOfBounds out_of_bounds(const v1::ReportReply& reply);
OutOfBounds out_of_bounds(const v1::WatchReply& reply);

}  // namespace meshdns::convert
