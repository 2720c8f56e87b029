#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/convert/out_of_bounds.h"
#include "dnsd/federation/coverage.h"
#include "dnsd/federation/refusals.h"
#include "meshdns/v1/federation.pb.h"

// The records of a report: from bytes to endpoints. Used by ReportSession.
namespace meshdns::federation {

/// The agent whose report is decoded.
struct ReportSource {
  const std::string& node;
  bool here;  // the agent runs on this machine
  TimePoint now;
};

/// Returns why an agent on another machine cannot mean one of these addresses: it is a loopback address. Nothing = none
/// is, or the agent runs here.
std::optional<std::string> loopback_problem(const std::vector<IpAddress>& addresses, bool here);

/// The durations of a message's records that were out of bounds, so that the bounds counted.
struct ClampedRecords {
  std::size_t count = 0;
  std::string key;             // of the first record with such a duration
  convert::OutOfBounds first;  // of that record
};

/// Decodes records and notes their hashes in the node's copy; refuses records that cannot be decoded.
std::vector<model::Endpoint> decode_report(const google::protobuf::RepeatedPtrField<std::string>& encoded,
                                           const ReportSource& source, NodeCopy& copy, const catalog::Catalog& catalog,
                                           Refusals& refusals, ClampedRecords& clamped);

}  // namespace meshdns::federation
