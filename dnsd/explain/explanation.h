#pragma once

#include "common/base/result.h"
#include "dnsd/explain/scene.h"
#include "dnsd/topology/words.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::explain {

/// Explains why a client gets its answer, by deciding again from the current catalog. A name below a host that DNS
/// answers, such as _all.app-b.mesh.internal, is explained by the host's decision.
/// errors: InvalidArgument (client, listener), NotFound (host)
Result<v1::ExplainReply> explain(const Scene& scene, const v1::ExplainRequest& request);
/// Explains the answer that the client would get with these overrides in the place of the records' own.
Result<v1::ExplainReply> explain(const Scene& scene, const v1::ExplainRequest& request,
                                 const topology::Overrides& overrides);

/// Returns an endpoint as operators see it.
/// unix_seconds: now, by the clock of overrides
v1::EndpointInfo endpoint_info(const topology::Candidate& candidate, TimePoint now, std::int64_t unix_seconds);
/// Adds the data of an endpoint's record: node, service, labels and ports.
void write_record(const model::Endpoint& endpoint, v1::EndpointInfo& out);

}  // namespace meshdns::explain
