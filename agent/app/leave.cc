#include "agent/app/leave.h"

#include <iostream>
#include <optional>
#include <utility>

#include "agent/report/grpc_reporter.h"
#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/http/client.h"
#include "common/log/log.h"
#include "common/rpc/credentials.h"

namespace meshdns::agent::app {
namespace {

constexpr Duration kPatience = 5s;
constexpr Duration kPoll = 20ms;
constexpr int kWaiting = 202;

/// Returns the answer of the running agent to POST /v1/leave.
Result<http::Response> ask_agent(process::EventLoop& loop, const std::string& socket) {
  http::ClientRequest request;
  request.unix_path = socket;
  request.host = "localhost";
  request.path = "/v1/leave";
  request.method = "POST";
  std::optional<Result<http::Response>> out;
  http::get(loop, request, kPatience, [&](Result<http::Response> response) {
    out = std::move(response);
    loop.stop();
  });
  loop.run();
  loop.restart();
  return *out;
}

void wait(process::EventLoop& loop, Duration duration) {
  loop.after(duration, [&loop] { loop.stop(); });
  loop.run();
  loop.restart();
}

bool nobody_listens(const Error& error) {
  const std::string message = ascii_lower(error.message());
  return message == "no such file or directory" || message == "connection refused";
}

int say(int code, const std::string& text) {
  (code == 0 ? std::cout : std::cerr) << text << "\n";
  return code;
}

/// Sends a Leave to one server.
/// returns: empty, or why the server has not acknowledged the Leave
std::string leave_at(process::EventLoop& loop, const Clock& clock, const Configuration& configuration,
                     const std::string& server) {
  report::Syncer syncer(report::wire_codec());
  syncer.leave(true);
  model::Node node = configuration.node;
  node.addresses.clear();  // the federation finds the node's records by the name alone
  node.prefixes.clear();
  report::GrpcReporter reporter(loop, clock,
                                {{server},
                                 report::NodeDescription::fixed(std::move(node)),
                                 configuration.instance_uid,
                                 configuration.boot_id,
                                 random_seed(),
                                 rpc::channel_credentials(configuration.tls, configuration.expected_federation())},
                                syncer);
  const std::string untried = reporter.last_error();
  const TimePoint end = clock.now() + kPatience;
  reporter.start();
  while (reporter.last_error() == untried && clock.now() < end) wait(loop, kPoll);
  reporter.stop(reporter.connected() ? kPatience : kPoll, [&loop] { loop.stop(); });
  loop.run();
  loop.restart();
  if (syncer.settled()) return "";
  return server + ": " + (syncer.epoch() != 0 ? "did not acknowledge the leave" : "no session") +
         (reporter.last_error().empty() ? "" : " (" + reporter.last_error() + ")");
}

int leave_without_agent(process::EventLoop& loop, const Clock& clock, const Configuration& configuration) {
  std::string errors;
  for (const auto& server : configuration.servers()) {
    const std::string error = leave_at(loop, clock, configuration, server);
    if (error.empty()) {
      return say(0, configuration.node.key + " left the federation at " + server + "; no agent was running");
    }
    errors += "\n  " + error;
  }
  return say(1, configuration.node.key + " did not leave: no agent runs here, and no federation took it:" + errors);
}

}  // namespace

int leave(process::EventLoop& loop, const Clock& clock, const Configuration& configuration) {
  log::set_level(log::Level::Error);  // the outcome is printed at the end
  const std::string& socket = configuration.file.admin().socket();
  auto answer = ask_agent(loop, socket);
  if (!answer && nobody_listens(answer.error())) return leave_without_agent(loop, clock, configuration);
  while (answer && answer->status == kWaiting) {
    wait(loop, kPoll);
    answer = ask_agent(loop, socket);
  }
  if (!answer) return say(1, "the agent at " + socket + " does not answer: " + answer.error().message());
  return say(answer->status == 200 ? 0 : 1, std::string(trim(answer->body)));
}

}  // namespace meshdns::agent::app
