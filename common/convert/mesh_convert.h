#pragma once

#include <string>

#include "common/model/endpoint.h"
#include "common/time/time.h"
#include "meshdns/config/v1/dnsd.pb.h"

namespace meshdns::convert {

// What dns.endpoints_file says, after it has been read by its rules.

model::Node to_node(const config::v1::MeshNode& file);

/// source: model::Endpoint::source; now: since when it is in its state
model::Endpoint to_endpoint(const config::v1::MeshEndpoint& file, const model::Node& node, const std::string& source,
                            TimePoint now);

}  // namespace meshdns::convert
