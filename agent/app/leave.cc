#include "agent/app/leave.h"

#include <iostream>
#include <utility>

#include "agent/app/agent_client.h"
#include "agent/report/grpc_reporter.h"
#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/log/log.h"
#include "common/rpc/credentials.h"

namespace meshdns::agent::app {
namespace {

constexpr Duration kPatience = 5s;
constexpr Duration kPoll = 20ms;
constexpr int kWaiting = 202;
constexpr auto kAgentPatience = std::chrono::seconds(5);

/// Asks the running agent to leave, or how far it is.
Result<http::Response> ask_to_leave(const std::string& socket) {
  return ask_agent(socket, {"POST", "/v1/leave", ""}, kAgentPatience);
}

void wait(process::EventLoop& loop, Duration duration) {
  loop.after(duration, [&loop] { loop.stop(); });
  loop.run();
  loop.restart();
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
  auto answer = ask_to_leave(socket);
  if (!answer && answer.error().code() == Code::NotFound) return leave_without_agent(loop, clock, configuration);
  while (answer && answer->status == kWaiting) {
    wait(loop, kPoll);
    answer = ask_to_leave(socket);
  }
  if (!answer) return say(1, answer.error().message());
  return say(answer->status == 200 ? 0 : 1, std::string(trim(answer->body)));
}

}  // namespace meshdns::agent::app
