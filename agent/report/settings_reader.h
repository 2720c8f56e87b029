#pragma once

#include <cstddef>
#include <vector>

#include "agent/report/messages.h"
#include "meshdns/v1/federation.pb.h"

// The lists in a federation's settings. Used by GrpcReporter.
namespace meshdns::report {

/// The most mappings that are read; the others are dropped.
inline constexpr std::size_t kMostMappings = 1024;

/// Returns the targets that can be connected to; a target without a valid address and port is dropped.
std::vector<MeasureTarget> read_targets(const v1::Settings& settings);
/// Returns the ports to be mapped; a mapping without valid ports and protocol is dropped.
PortMappings read_mappings(const v1::Settings& settings);

}  // namespace meshdns::report
