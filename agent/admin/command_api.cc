#include "agent/admin/command_api.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "agent/admin/http_api.h"
#include "agent/admin/responses.h"
#include "common/base/printable.h"
#include "common/time/duration_text.h"

namespace meshdns::agent::admin {
namespace {

using http::Request;
using http::Response;
using Done = std::function<void(Response)>;

/// Returns the HTTP status of an error.
int status_of(Code code) {
  switch (code) {
    case Code::InvalidArgument: return 400;
    case Code::NotFound: return 404;
    case Code::AlreadyExists:
    case Code::FailedPrecondition: return 409;
    case Code::ResourceExhausted: return 413;
    default: return 503;
  }
}

Response refused(const Error& error) {
  std::string why = error.message();
  if (!why.ends_with('\n')) why += '\n';
  return text(status_of(error.code()), std::move(why));
}

template <class Message>
Response answer(const Result<Message>& result) {
  return result ? json(*result) : refused(result.error());
}

std::string parameter(const Request& request, const std::string& name) {
  const auto found = request.parameters.find(name);
  return found == request.parameters.end() ? "" : found->second;
}

/// Returns a text that is shown to people later, or why it cannot be: it is too long, or more than a line of text.
Result<std::string> line_of(std::string_view name, std::string value) {
  if (value.size() > kLongestText) {
    return Error(Code::InvalidArgument, fmt::format("{}: longer than {} bytes", name, kLongestText));
  }
  if (printable_length(value) != value.size()) {
    return Error(Code::InvalidArgument, fmt::format("{}: expected one line of printable text", name));
  }
  return value;
}

Result<std::string> target_of(const Request& request) {
  auto target = line_of("target", parameter(request, "target"));
  if (target && target->empty()) return Error(Code::InvalidArgument, "target: expected NAMESPACE/SERVICE or a key");
  return target;
}

Response register_endpoints(Commands& commands, const Request& request) {
  const std::string file = parameter(request, "file");
  return answer(commands.register_endpoints(request.body, file.empty() ? "body" : printable(file)));
}

Response deregister(Commands& commands, const Request& request) {
  const auto target = target_of(request);
  return target ? answer(commands.deregister(*target)) : refused(target.error());
}

Response push(Commands& commands, const Request& request) {
  static const std::map<std::string, Said> kWords = {{"up", Said::Up}, {"down", Said::Down}, {"warn", Said::Warn}};
  const auto target = target_of(request);
  if (!target) return refused(target.error());
  const auto said = kWords.find(parameter(request, "state"));
  if (said == kWords.end()) return text(400, "state: expected up, down or warn\n");
  const auto detail = line_of("detail", request.body);
  return detail ? answer(commands.push(*target, said->second, *detail)) : refused(detail.error());
}

Response drain(Commands& commands, const Request& request) {
  const auto target = line_of("target", parameter(request, "target"));
  const auto reason = line_of("reason", request.body);
  if (!target || !reason) return refused(target ? reason.error() : target.error());
  const std::string length = parameter(request, "for");
  if (length.empty()) return answer(commands.drain(*target, *reason, std::nullopt));
  const auto parsed = parse_duration(length);
  if (!parsed) return refused(parsed.error().with_context("for"));
  if (*parsed <= Duration::zero() || *parsed > kLongestDrain)
    return text(400, "for: expected a duration up to 7d, or nothing for a drain without an end\n");
  return answer(commands.drain(*target, *reason, *parsed));
}

Response undrain(Commands& commands, const Request& request) {
  const auto target = line_of("target", parameter(request, "target"));
  return target ? answer(commands.undrain(*target)) : refused(target.error());
}

using CommandRoute = Response (*)(Commands&, const Request&);

const std::map<std::string, CommandRoute>& command_routes() {
  static const std::map<std::string, CommandRoute> kRoutes = {
      {"/v1/register", register_endpoints},
      {"/v1/deregister", deregister},
      {"/v1/push", push},
      {"/v1/drain", drain},
      {"/v1/undrain", undrain},
  };
  return kRoutes;
}

void check(Commands& commands, const Request& request, Done done) {
  const auto target = target_of(request);
  if (!target) return done(refused(target.error()));
  commands.check(*target, [done = std::move(done)](const Result<v1::AgentRuns>& runs) { done(answer(runs)); });
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

}  // namespace

http::LateHandler socket_api(Agent& agent, Commands& commands) {
  return [&agent, &commands, reading = http_api(agent, commands)](const Request& request, Done done) {
    const auto route = command_routes().find(request.path);
    const bool changes = route != command_routes().end() || request.path == "/v1/check" || request.path == "/v1/leave";
    if (!changes) return done(reading(request));
    if (request.method != "POST") return done(text(405, "this path takes POST only\n"));
    if (request.path == "/v1/leave") return done(leave(agent));
    if (request.path == "/v1/check") return check(commands, request, std::move(done));
    done(route->second(commands, request));
  };
}

}  // namespace meshdns::agent::admin
