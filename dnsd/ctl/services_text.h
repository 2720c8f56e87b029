#pragma once

#include <string>
#include <vector>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// Returns the services of an endpoint, each as "shop/web"; empty = it has none.
std::vector<std::string> services_of(const v1::EndpointInfo& endpoint);
/// Returns the services in one text: "shop/web,shop/web-headless"; "shop/-" = it has none.
std::string services_text(const v1::EndpointInfo& endpoint);
/// Returns who lists the endpoint: "the agent of its node (kubernetes)", "the federation: no agent owns it".
std::string source_text(const v1::EndpointInfo& endpoint);
/// Returns what the endpoint is in its services besides its own: "web: http 8080/TCP, as web-0, exported, published
/// while not ready; api: no port, not exported"; empty = it has no such service.
std::string memberships_text(const v1::EndpointInfo& endpoint);

/// Returns the endpoint's own ports: "http 8080/TCP,80->8080/TCP"; "-" = it has none. The ports that its node redirects
/// follow them.
std::string ports_text(const v1::EndpointInfo& endpoint, const std::string& separator);
/// Returns the ports that its node redirects, and why it does not: "80->8080/TCP; 443->8443/TCP refused: ...".
std::string mapped_text(const v1::EndpointInfo& endpoint);

}  // namespace meshdns::ctl
