#pragma once

#include "common/base/result.h"
#include "dnsd/app/publisher.h"
#include "dnsd/catalog/catalog.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::app {

/// Why a client gets what it gets: decided anew from what the catalog says now.
/// errors: InvalidArgument (client, listener), NotFound (host), Unavailable (nothing is published yet)
Result<v1::ExplainReply> explain(const catalog::Catalog& catalog, Publisher& publisher,
                                 const v1::ExplainRequest& request, TimePoint now);

v1::EndpointInfo endpoint_info(const topology::Candidate& candidate, TimePoint now);

}  // namespace meshdns::app
