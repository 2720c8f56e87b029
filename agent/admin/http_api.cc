#include "agent/admin/http_api.h"

#include <functional>
#include <map>
#include <string>

#include "agent/admin/responses.h"

namespace meshdns::agent::admin {
namespace {

using http::Request;
using http::Response;

Response ready(Agent& agent) {
  const std::string why = agent.unready();
  return why.empty() ? text(200, "ready\n") : text(503, why + "\n");
}

using Route = Response (*)(Agent&, Commands&);

const std::map<std::string, Route>& routes() {
  static const std::map<std::string, Route> kRoutes = {
      {"/healthz", [](Agent&, Commands&) { return text(200, "ok\n"); }},
      {"/readyz", [](Agent& agent, Commands&) { return ready(agent); }},
      {"/metrics",
       [](Agent& agent, Commands&) {
         return Response{200, "text/plain; version=0.0.4", agent.metrics()};
       }},
      {"/v1/status", [](Agent& agent, Commands&) { return json(agent.status()); }},
      {"/v1/registrations", [](Agent&, Commands& commands) { return json(commands.registrations()); }},
      {"/v1/drains", [](Agent&, Commands& commands) { return json(commands.drains()); }},
  };
  return kRoutes;
}

Response not_here() {
  std::string body = "no such path; the paths are:\n";
  for (const auto& [path, route] : routes()) body += "  " + path + "\n";
  return text(404, std::move(body));
}

}  // namespace

http::Handler http_api(Agent& agent, Commands& commands) {
  return [&agent, &commands](const Request& request) {
    const auto route = routes().find(request.path);
    if (route == routes().end()) return not_here();
    if (request.method != "GET" && request.method != "HEAD") return text(405, "this port is for reading only\n");
    return route->second(agent, commands);
  };
}

}  // namespace meshdns::agent::admin
