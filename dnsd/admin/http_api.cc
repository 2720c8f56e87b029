#include "dnsd/admin/http_api.h"

#include <google/protobuf/util/json_util.h>

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "common/convert/object_convert.h"

namespace meshdns::admin {
namespace {

using http::Request;
using http::Response;

Response json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) return {500, "text/plain; charset=utf-8", "cannot be written as JSON\n"};
  return {200, "application/json", text};
}

template <class T>
Response json(const Result<T>& result) {
  if (result) return json(*result);
  const int status = result.error().code() == Code::NotFound ? 404 : 400;
  return {status, "text/plain; charset=utf-8", result.error().message() + "\n"};
}

std::string parameter(const Request& request, const std::string& name) {
  const auto found = request.parameters.find(name);
  return found == request.parameters.end() ? "" : found->second;
}

Response list(Mesh& mesh, const std::string& kind, const Request& request) {
  v1::ListRequest query;
  query.set_kind(kind);
  query.set_key(parameter(request, "key"));
  return json(mesh.list(query));
}

Response explain(Mesh& mesh, const Request& request) {
  v1::ExplainRequest query;
  query.set_host(parameter(request, "host"));
  query.set_client(parameter(request, "client"));
  query.set_listener(parameter(request, "listener"));
  return json(mesh.explain(query));
}

/// A call that is answered at once.
template <class Reply, class Query, class F>
Response at_once(const Query& query, F call) {
  Result<Reply> out = Error(Code::Unavailable, "no answer yet");
  call(query, [&out](Result<Reply> done) { out = std::move(done); });
  return json(out);
}

void add_targets(const Request& request, const std::string& name, const char* action, v1::SimulateRequest& query) {
  const std::string given = parameter(request, name);
  if (given.empty()) return;
  for (const std::string_view target : split(given, ',')) {
    v1::OverrideSpec& spec = *query.add_overrides();
    spec.set_action(action);
    convert::set_target(spec, target);
  }
}

Response simulate(Mesh& mesh, const Request& request) {
  v1::SimulateRequest query;
  query.mutable_explain()->set_host(parameter(request, "host"));
  query.mutable_explain()->set_client(parameter(request, "client"));
  query.mutable_explain()->set_listener(parameter(request, "listener"));
  if (query.explain().host().empty()) {
    return {400, "text/plain; charset=utf-8", "host is missing; meshdnsctl simulate looks at all hosts\n"};
  }
  add_targets(request, "down", "Down", query);
  add_targets(request, "drain", "Drain", query);
  add_targets(request, "up", "Up", query);
  query.set_clear(!parameter(request, "clear").empty());
  return at_once<v1::SimulateReply>(query,
                                    [&](const auto& asked, auto done) { mesh.simulate(asked, std::move(done)); });
}

Response history(Mesh& mesh, const Request& request) {
  v1::EventsRequest query;
  query.set_host(parameter(request, "host"));
  return at_once<v1::EventsReply>(query, [&](const auto& asked, auto done) { mesh.events(asked, std::move(done)); });
}

using Route = std::function<Response(Mesh&, const Request&)>;

const std::map<std::string, Route>& routes() {
  static const std::map<std::string, Route> kRoutes = {
      {"/healthz",
       [](Mesh&, const Request&) {
         return Response{200, "text/plain; charset=utf-8", "ok\n"};
       }},
      {"/readyz",
       [](Mesh& mesh, const Request&) {
         const bool ready = mesh.ready();
         return Response{ready ? 200 : 503, "text/plain; charset=utf-8", ready ? "ready\n" : "not ready\n"};
       }},
      {"/metrics",
       [](Mesh& mesh, const Request&) {
         return Response{200, "text/plain; version=0.0.4; charset=utf-8", mesh.metrics()};
       }},
      {"/v1/status", [](Mesh& mesh, const Request&) { return json(mesh.status()); }},
      {"/v1/explain", explain},
      {"/v1/simulate", simulate},
      {"/v1/history", history},
      {"/v1/lint", [](Mesh& mesh, const Request&) { return json(mesh.lint({})); }},
      {"/v1/nodes", [](Mesh& mesh, const Request& request) { return list(mesh, "Node", request); }},
      {"/v1/endpoints", [](Mesh& mesh, const Request& request) { return list(mesh, "Endpoint", request); }},
      {"/v1/objects", [](Mesh& mesh, const Request& request) { return list(mesh, "VirtualDestination", request); }},
      {"/v1/overrides", [](Mesh& mesh, const Request& request) { return list(mesh, "Override", request); }},
      {"/v1/clusters", [](Mesh& mesh, const Request& request) { return list(mesh, "Cluster", request); }},
  };
  return kRoutes;
}

Response not_found() {
  std::string text = "there is nothing here; there is:\n";
  for (const auto& [path, route] : routes()) text += "  " + path + "\n";
  return {404, "text/plain; charset=utf-8", text};
}

}  // namespace

http::Handler http_api(Mesh& mesh) {
  return [&mesh](const Request& request) -> Response {
    if (request.method != "GET" && request.method != "HEAD") {
      return {405, "text/plain; charset=utf-8", "this port is for reading only\n"};
    }
    const auto route = routes().find(request.path);
    return route == routes().end() ? not_found() : route->second(mesh, request);
  };
}

}  // namespace meshdns::admin
