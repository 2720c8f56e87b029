#include "dnsd/admin/http_api.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "common/convert/document.h"
#include "common/convert/object_convert.h"

namespace meshdns::admin {
namespace {

using http::Request;
using http::Response;
using Done = std::function<void(Response)>;

// All rows of a page become JSON in one go: 250 rows take some milliseconds of the loop's thread.
constexpr std::size_t kRows = 250;  // in a page without ?limit=
constexpr std::size_t kMostRows = 1000;
constexpr std::size_t kMostBody = 1UL << 20;

Response json(const google::protobuf::Message& message) {
  return {200, "application/json", convert::Document(message).json()};
}

Response json(const google::protobuf::Message& message, const char* list) {
  convert::Document document(message);
  document.drop_empty_lists_but(list);
  return {200, "application/json", document.json()};
}

Response text(int status, std::string body) { return {status, "text/plain; charset=utf-8", std::move(body)}; }

Response failure(const Error& error) {
  const bool busy = error.code() == Code::Unavailable;
  return text(error.code() == Code::NotFound ? 404 : busy ? 503 : 400, error.message() + "\n");
}

/// Returns a callback for an answer that is not divided into pages.
template <class Reply>
std::function<void(Result<Reply>)> as_json(Done done) {
  return [done = std::move(done)](Result<Reply> reply) { done(reply ? json(*reply) : failure(reply.error())); };
}

std::string parameter(const Request& request, const std::string& name) {
  const auto found = request.parameters.find(name);
  return found == request.parameters.end() ? "" : found->second;
}

/// Returns the request's target with another `continue`.
std::string next_target(const Request& request, const std::string& token) {
  std::string out = request.path + "?";
  for (const auto& [name, value] : request.parameters) {
    if (name != "continue") out += name + "=" + http::percent_encoded(value) + "&";
  }
  return out + "continue=" + token;
}

/// Writes one page as JSON. If the JSON is longer than kMostBody, asks again for half as many rows.
/// call: asks the mesh with the limit and the token of `query`
/// list: for a listing: the list that was asked for. Of the other lists only those with rows are written
template <class Reply, class Query, class F>
void answer_page(const Request& request, Query query, Done done, F call, const char* list = nullptr) {
  call(query, [request, query, done, call, list](Result<Reply> reply) {
    if (!reply) return done(failure(reply.error()));
    Response out = list == nullptr ? json(*reply) : json(*reply, list);
    if (out.body.size() > kMostBody && query.limit() > 1) {
      Query less = query;
      less.set_limit(query.limit() / 2);
      return answer_page<Reply>(request, std::move(less), done, call, list);
    }
    if (!reply->continue_().empty())
      out.headers["Link"] = "<" + next_target(request, reply->continue_()) + ">; rel=\"next\"";
    done(std::move(out));
  });
}

/// Takes over ?limit= and ?continue=.
/// returns: false = ?limit= is not a number of at least 1, and `done` was called
template <class Query>
bool take_page(const Request& request, Query& query, const Done& done) {
  const std::string given = parameter(request, "limit");
  const auto limit = given.empty() ? std::optional<std::uint64_t>(kRows) : parse_uint(given);
  if (!limit || *limit == 0) {
    done(text(400, "limit: expected a number of rows, at least 1\n"));
    return false;
  }
  query.set_limit(static_cast<std::uint32_t>(std::min<std::uint64_t>(*limit, kMostRows)));
  query.set_continue_(parameter(request, "continue"));
  return true;
}

void list(Mesh& mesh, const std::string& kind, const char* field, const Request& request, const Done& done) {
  v1::ListRequest query;
  query.set_kind(kind);
  query.set_key(parameter(request, "key"));
  if (!take_page(request, query, done)) return;
  const auto call = [&mesh](const auto& asked, auto told) { mesh.list(asked, told); };
  answer_page<v1::ListReply>(request, query, done, call, field);
}

void explain(Mesh& mesh, const Request& request, const Done& done) {
  v1::ExplainRequest query;
  query.set_host(parameter(request, "host"));
  query.set_client(parameter(request, "client"));
  query.set_listener(parameter(request, "listener"));
  if (!take_page(request, query, done)) return;
  answer_page<v1::ExplainReply>(request, query, done,
                                [&mesh](const auto& asked, auto told) { told(mesh.explain(asked)); });
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

void simulate(Mesh& mesh, const Request& request, const Done& done) {
  v1::SimulateRequest query;
  query.mutable_explain()->set_host(parameter(request, "host"));
  query.mutable_explain()->set_client(parameter(request, "client"));
  query.mutable_explain()->set_listener(parameter(request, "listener"));
  if (query.explain().host().empty()) {
    return done(text(400, "host is missing; meshdnsctl simulate looks at all hosts\n"));
  }
  add_targets(request, "down", "Down", query);
  add_targets(request, "drain", "Drain", query);
  add_targets(request, "up", "Up", query);
  query.set_clear(!parameter(request, "clear").empty());
  if (!take_page(request, query, done)) return;
  answer_page<v1::SimulateReply>(request, query, done,
                                 [&mesh](const auto& asked, auto told) { mesh.simulate(asked, told); });
}

void history(Mesh& mesh, const Request& request, const Done& done) {
  v1::EventsRequest query;
  query.set_host(parameter(request, "host"));
  if (!take_page(request, query, done)) return;
  answer_page<v1::EventsReply>(request, query, done,
                               [&mesh](const auto& asked, auto told) { mesh.events(asked, told); });
}

void lint(Mesh& mesh, const Request& request, const Done& done) {
  v1::LintRequest query;
  if (!take_page(request, query, done)) return;
  answer_page<v1::LintReply>(request, query, done, [&mesh](const auto& asked, auto told) { mesh.lint(asked, told); });
}

using Route = std::function<void(Mesh&, const Request&, const Done&)>;

/// field: the list in the reply that holds the rows
Route list_of(std::string kind, const char* field) {
  return [kind = std::move(kind), field](Mesh& mesh, const Request& request, const Done& done) {
    list(mesh, kind, field, request, done);
  };
}

void metrics(Mesh& mesh, const Request&, const Done& done) {
  mesh.metrics([done](Result<std::string> lines) {
    if (!lines) return done(failure(lines.error()));
    done({200, "text/plain; version=0.0.4; charset=utf-8", *std::move(lines)});
  });
}

void ready(Mesh& mesh, const Request&, const Done& done) {
  done(mesh.ready() ? text(200, "ready\n") : text(503, "not ready\n"));
}

const std::map<std::string, Route>& routes() {
  static const std::map<std::string, Route> kRoutes = {
      {"/healthz", [](Mesh&, const Request&, const Done& done) { done(text(200, "ok\n")); }},
      {"/readyz", ready},
      {"/metrics", metrics},
      {"/v1/status", [](Mesh& mesh, const Request&, const Done& done) { mesh.status(as_json<v1::StatusReply>(done)); }},
      {"/v1/explain", explain},
      {"/v1/simulate", simulate},
      {"/v1/history", history},
      {"/v1/lint", lint},
      {"/v1/nodes", list_of("Node", "nodes")},
      {"/v1/endpoints", list_of("Endpoint", "endpoints")},
      {"/v1/objects", list_of("VirtualDestination", "objects")},
      {"/v1/overrides", list_of("Override", "objects")},
      {"/v1/clusters", list_of("Cluster", "objects")},
  };
  return kRoutes;
}

Response not_found() {
  std::string body = "no such path; the paths are:\n";
  for (const auto& [path, route] : routes()) body += "  " + path + "\n";
  return text(404, std::move(body));
}

}  // namespace

http::LateHandler http_api(Mesh& mesh) {
  return [&mesh](const Request& request, const Done& done) {
    if (request.method != "GET" && request.method != "HEAD") {
      return done(text(405, "this port is for reading only\n"));
    }
    const auto route = routes().find(request.path);
    if (route == routes().end()) return done(not_found());
    route->second(mesh, request, done);
  };
}

}  // namespace meshdns::admin
