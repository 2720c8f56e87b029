#pragma once

#include "common/base/result.h"
#include "dnsd/explain/scene.h"
#include "dnsd/topology/words.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::explain {

/// Why a client gets what it gets: decided anew from what the catalog says now. A name below a host that DNS answers,
/// as _all.app-b.mesh.internal, is explained by the host's decision.
/// errors: InvalidArgument (client, listener), NotFound (host)
Result<v1::ExplainReply> explain(const Scene& scene, const v1::ExplainRequest& request);
/// As it would be with these overrides instead of the records'.
Result<v1::ExplainReply> explain(const Scene& scene, const v1::ExplainRequest& request,
                                 const topology::Overrides& overrides);

/// unix_seconds: now, on the clock that overrides are dated by
v1::EndpointInfo endpoint_info(const topology::Candidate& candidate, TimePoint now, std::int64_t unix_seconds);
/// Adds what an endpoint's record says of it: node, service, labels and ports.
void write_record(const model::Endpoint& endpoint, v1::EndpointInfo& out);

}  // namespace meshdns::explain
