#pragma once

#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace meshdns::identity {

/// The parts of a SPIFFE ID. The views point into the text that was parsed.
struct SpiffeId {
  std::string_view trust_domain;
  std::vector<std::string_view> path;  // segments; at least one
};

/// Parses "spiffe://trust-domain/segment/segment". Everything that could be read in two ways is refused: capital
/// letters in scheme or trust domain, empty segments, "." and "..", percent-encoding, ports, queries, fragments.
/// errors: InvalidArgument, with the reason
/// source: SPIFFE-ID 2.1 to 2.3
Result<SpiffeId> parse_spiffe_id(std::string_view uri);

}  // namespace meshdns::identity
