#pragma once

#include "common/base/result.h"
#include "dnsd/answers/compile.h"
#include "dnsd/catalog/catalog.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::app {

/// Why a client gets what it gets, from what was published last.
/// errors: InvalidArgument (client, listener), NotFound (host)
Result<v1::ExplainReply> explain(const catalog::Catalog& catalog, const answers::Compiled& compiled,
                                 const answers::Settings& settings, const v1::ExplainRequest& request, TimePoint now);

v1::EndpointInfo endpoint_info(const topology::Candidate& candidate, TimePoint now);

}  // namespace meshdns::app
