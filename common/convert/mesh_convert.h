#pragma once

#include <string>

#include "common/model/endpoint.h"
#include "common/time/time.h"
#include "meshdns/config/v1/dnsd.pb.h"

namespace meshdns::convert {

// Conversions of the content of dns.endpoints_file.
// requires: common/config has read and checked the file

model::Node to_node(const config::v1::MeshNode& file);

/// source: for Endpoint::source
/// now:    the time at which the endpoint's state begins
model::Endpoint to_endpoint(const config::v1::MeshEndpoint& file, const model::Node& node, const std::string& source,
                            TimePoint now);

}  // namespace meshdns::convert
