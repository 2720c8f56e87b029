#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace meshdns::config {

/// An entry of a file of endpoints.d as one line of YAML, which means the same: without comments, with aliases written
/// out.
struct EndpointLine {
  std::string text;
  std::string service;  // "namespace/service"; empty = the entry does not say both

  friend bool operator==(const EndpointLine&, const EndpointLine&) = default;
};

/// Splits a file of endpoints.d into its entries, in the order of the file. The entries need not be valid, so that a
/// file keeps entries which only another version of the agent understands.
/// most_bytes: of one line; a few bytes with aliases could stand for gigabytes
/// errors:     DataLoss: not YAML, or not a mapping with a list `endpoints`. ResourceExhausted: an entry is too long
Result<std::vector<EndpointLine>> endpoint_lines(const std::string& text, std::size_t most_bytes);

/// Returns the file of these entries; endpoint_lines() gives them back.
/// comment: each line of it begins with #
std::string endpoints_text(const std::string& comment, const std::vector<EndpointLine>& lines);

}  // namespace meshdns::config
