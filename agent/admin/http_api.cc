#include "agent/admin/http_api.h"

#include <map>
#include <string>

#include "common/convert/document.h"

namespace meshdns::agent::admin {
namespace {

using http::Request;
using http::Response;

Response text(int status, std::string body) { return {status, "text/plain; charset=utf-8", std::move(body)}; }

Response json(const google::protobuf::Message& message) {
  return {200, "application/json", convert::Document(message).json()};
}

Response leave(Agent& agent) {
  const Leaving leaving = agent.leave();
  switch (leaving.state) {
    case Leaving::State::Waiting: return text(202, leaving.text + "\n");
    case Leaving::State::Left: return text(200, leaving.text + "\n");
    case Leaving::State::Failed: break;
  }
  return text(503, leaving.text + "\n");
}

Response ready(Agent& agent) {
  const std::string why = agent.unready();
  return why.empty() ? text(200, "ready\n") : text(503, why + "\n");
}

using Route = Response (*)(Agent&);

const std::map<std::string, Route>& routes() {
  static const std::map<std::string, Route> kRoutes = {
      {"/healthz", [](Agent&) { return text(200, "ok\n"); }},
      {"/readyz", ready},
      {"/metrics",
       [](Agent& agent) {
         return Response{200, "text/plain; version=0.0.4", agent.metrics()};
       }},
      {"/v1/status", [](Agent& agent) { return json(agent.status()); }},
  };
  return kRoutes;
}

Response not_here() {
  std::string body = "no such path; the paths are:\n";
  for (const auto& [path, route] : routes()) body += "  " + path + "\n";
  return text(404, std::move(body));
}

Response read_only(Agent& agent, const Request& request) {
  const auto route = routes().find(request.path);
  if (route == routes().end()) return not_here();
  if (request.method != "GET" && request.method != "HEAD") return text(405, "this port is for reading only\n");
  return route->second(agent);
}

}  // namespace

http::Handler http_api(Agent& agent) {
  return [&agent](const Request& request) { return read_only(agent, request); };
}

http::Handler socket_api(Agent& agent) {
  return [&agent](const Request& request) {
    if (request.path != "/v1/leave") return read_only(agent, request);
    return request.method == "POST" ? leave(agent) : text(405, "this path takes POST only\n");
  };
}

}  // namespace meshdns::agent::admin
