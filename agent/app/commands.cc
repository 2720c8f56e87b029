#include "agent/app/commands.h"

#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "agent/admin/command_api.h"
#include "agent/app/command_views.h"
#include "agent/app/completion.h"
#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/http/message.h"
#include "common/process/daemon_process.h"

namespace meshdns::agent::app {
namespace {

using process::kFailed;
using process::kWrongUsage;

constexpr const char* kTarget = "NAMESPACE/SERVICE|KEY";
constexpr int kOk = 200;
constexpr int kBadRequest = 400;
constexpr int kNotFound = 404;

int fail(int code, std::string_view why) {
  std::cerr << trim(why) << "\n";
  return code;
}

/// Returns the target of a request: "/v1/push?target=shop%2Fweb&state=up". Empty parameters are left out.
std::string target_text(const std::string& path, const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string out = path;
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    out += separator + name + "=" + http::percent_encoded(value);
    separator = '&';
  }
  return out;
}

/// Returns the text of a file, or of standard input for "-".
Result<std::string> text_of(const std::string& file) {
  auto text =
      file == "-" ? Result<std::string>(std::string(std::istreambuf_iterator<char>(std::cin), {})) : read_file(file);
  if (text && text->size() > admin::kLongestBody) {
    return Error(Code::InvalidArgument, file + ": larger than 1 MiB, which the agent does not take");
  }
  return text;
}

/// Reads the JSON of an answer. A newer agent may say more than this program knows.
template <class Message>
std::optional<Message> message_of(const http::Response& answer) {
  Message out;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (!google::protobuf::util::JsonStringToMessage(answer.body, &out, options).ok()) return std::nullopt;
  return out;
}

/// Prints an answer as a text for people, with what `view` makes of the message.
template <class Message>
int print_as(const http::Response& answer, std::string (*view)(const Message&)) {
  const auto message = message_of<Message>(answer);
  if (!message) return fail(kFailed, "the agent's answer cannot be read; -o json prints it as it is");
  std::cout << view(*message);
  if constexpr (std::is_same_v<Message, v1::AgentChanges>) {
    if (!message->warning().empty()) std::cerr << "warning: " << message->warning() << "\n";
  }
  return 0;
}

}  // namespace

CLI::App* Commands::add(CLI::App& cli, Kind kind, const char* name, const char* help, bool prints) {
  auto* out = cli.add_subcommand(name, help);
  out->fallthrough()->callback([this, kind] { chosen_ = kind; });
  out->add_option("--socket", socket_, "the agent's unix socket; default: admin.socket of the configuration")
      ->type_name("PATH");
  if (!prints) return out;
  out->add_option("-o,--output", output_, "table or json")
      ->check(CLI::IsMember({"table", "json"}).description(""))
      ->type_name("FORMAT");
  return out;
}

void Commands::add_to(CLI::App& cli) {
  auto* enter = add(cli, Kind::Register, "register", "list endpoints until they are deregistered, also over restarts");
  enter->add_option("-f,--file", file_, "a file as in endpoints.d; - for standard input")
      ->type_name("FILE")
      ->required();
  auto* leave = add(cli, Kind::Deregister, "deregister", "end registrations: of a service, or of one endpoint");
  leave->add_option("target", target_, kTarget)->required();
  add(cli, Kind::List, "list", "the registrations");
  auto* push = add(cli, Kind::Push, "push", "tell the ttl check of a service how it is");
  push->add_option("target", target_, kTarget)->required();
  push->add_option("state", state_, "up, down or warn")->required()->check(CLI::IsMember({"up", "down", "warn"}));
  push->add_option("--detail", detail_, "why; shown in status and explain")->type_name("TEXT");
  auto* drain = add(cli, Kind::Drain, "drain", "send clients elsewhere, as long as anything else serves");
  drain->add_option("--service", target_, "only of this service or endpoint; default: the whole node")
      ->type_name(kTarget);
  drain->add_option("--for", length_, "how long; default: until undrain")->type_name("DURATION");
  drain->add_option("--reason", reason_, "why; shown in status and explain")->type_name("TEXT")->required();
  auto* undrain = add(cli, Kind::Undrain, "undrain", "take a drain back");
  undrain->add_option("--service", target_, "that of this service or endpoint; default: the node's")
      ->type_name(kTarget);
  add(cli, Kind::Status, "status", "what this agent reports, and its checks, drains and sources");
  auto* check = add(cli, Kind::Check, "check", "run the checks of a service now");
  check->add_option("target", target_, kTarget)->required();
  auto* completion = add(cli, Kind::Completion, "completion", "print a script that completes words in a shell", false);
  completion->add_option("shell", shell_, "bash")->required()->check(CLI::IsMember({"bash"}));
}

Result<AgentRequest> Commands::request() const {
  switch (chosen_) {
    case Kind::Register: {
      const auto text = text_of(file_);
      if (!text) return text.error();
      return AgentRequest{"POST", target_text("/v1/register", {{"file", file_}}), *text};
    }
    case Kind::Deregister: return AgentRequest{"POST", target_text("/v1/deregister", {{"target", target_}}), ""};
    case Kind::List: return AgentRequest{"GET", "/v1/registrations", ""};
    case Kind::Push:
      return AgentRequest{"POST", target_text("/v1/push", {{"target", target_}, {"state", state_}}), detail_};
    case Kind::Drain:
      return AgentRequest{"POST", target_text("/v1/drain", {{"target", target_}, {"for", length_}}), reason_};
    case Kind::Undrain: return AgentRequest{"POST", target_text("/v1/undrain", {{"target", target_}}), ""};
    case Kind::Check: return AgentRequest{"POST", target_text("/v1/check", {{"target", target_}}), ""};
    default: return AgentRequest{"GET", "/v1/status", ""};
  }
}

int Commands::print(const http::Response& answer) const {
  if (output_ == "json") {
    std::cout << answer.body;
    return 0;
  }
  switch (chosen_) {
    case Kind::List: return print_as(answer, registrations_text);
    case Kind::Status: return print_as(answer, status_text);
    case Kind::Check: return print_as(answer, runs_text);
    default: return print_as(answer, changes_text);
  }
}

int Commands::run(const std::string& socket) const {
  if (chosen_ == Kind::Completion) {
    std::cout << completion_script();
    return 0;
  }
  const auto wanted = request();
  if (!wanted) return fail(kWrongUsage, wanted.error().message());
  const auto answer = ask_agent(socket, *wanted);
  if (!answer) return fail(kFailed, answer.error().message());
  if (answer->status == kNotFound && answer->body.starts_with("no such path")) {
    return fail(kFailed, "the agent that runs here is older and does not know this command; restart it");
  }
  if (answer->status == kBadRequest) return fail(kWrongUsage, answer->body);
  if (answer->status != kOk) return fail(kFailed, answer->body);
  return print(*answer);
}

std::vector<std::string> names_at(const std::string& socket) {
  std::vector<std::string> out;
  const auto answer = ask_agent(socket, {"GET", "/v1/status", ""});
  const auto status = answer && answer->status == kOk ? message_of<v1::AgentStatus>(*answer) : std::nullopt;
  if (!status) return out;
  for (const auto& endpoint : status->endpoints()) {
    out.push_back(endpoint.namespace_() + "/" + endpoint.service());
    out.push_back(endpoint.key());
  }
  return out;
}

}  // namespace meshdns::agent::app
