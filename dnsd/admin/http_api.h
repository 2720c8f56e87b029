#pragma once

#include "common/http/message.h"
#include "dnsd/admin/mesh.h"

namespace meshdns::admin {

/// Returns the handler of the HTTP port, which only reads:
///   /healthz /readyz /metrics /v1/status /v1/explain?host=&client=[&listener=]
///   /v1/simulate?host=&client=[&listener=][&down=TARGET,TARGET][&drain=][&up=][&clear=1] /v1/history[?host=] /v1/lint
///   /v1/nodes /v1/endpoints /v1/objects /v1/clusters /v1/overrides
/// Answers that grow with the mesh come in pages of ?limit= rows; ?continue= takes the token of the previous page.
/// `mesh` must outlive the handler.
http::LateHandler http_api(Mesh& mesh);

}  // namespace meshdns::admin
