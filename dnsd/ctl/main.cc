#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <vector>

#include "common/rpc/credentials.h"
#include "common/time/duration_text.h"
#include "common/time/system_clock.h"
#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/completion.h"
#include "dnsd/ctl/override_commands.h"
#include "dnsd/ctl/server.h"
#include "dnsd/ctl/tool.h"

namespace {

using namespace meshdns;
using ctl::Output;

/// All that can stand on the command line.
struct Arguments {
  ctl::ServerFlags server;
  Output output = Output::Table;
  std::string file;
  bool dry_run = false;
  bool force = false;
  std::string kind;
  std::string name;
  ctl::Rows rows;
  std::vector<std::string> names;
  std::string host;
  std::string client;
  std::string listener;
  std::string prefix;
  std::string length = "10s";
  std::string shell;
  ctl::OverrideFlags override;
};

std::int64_t unix_now() { return SystemClock().unix_seconds(); }

using Command = std::function<int(const Arguments&, ctl::Client&)>;

int with_kind(const Arguments& arguments, const std::function<int(const std::string&)>& run) {
  if (const auto kind = ctl::kind_named(arguments.kind)) return run(*kind);
  std::cerr << "there is no kind " << arguments.kind << "; there are vd, nodes, endpoints, clusters, overrides\n";
  return ctl::kWrongUsage;
}

void add_objects_commands(CLI::App& cli, Arguments& arguments, std::map<const CLI::App*, Command>& commands) {
  auto* apply = cli.add_subcommand("apply", "create or change objects: all of the file, or none");
  apply->add_option("-f,--file", arguments.file, "YAML file, - for standard input")->required();
  apply->add_flag("--dry-run", arguments.dry_run, "check and say what would happen");
  apply->add_flag("--force", arguments.force,
                  "take over objects of another manager; overrides that leave hosts without endpoints");
  commands[apply] = [](const Arguments& given, ctl::Client& client) {
    return ctl::apply(client, given.file, given.dry_run, given.force);
  };
  auto* diff = cli.add_subcommand("diff", "what apply would change; exit code 1 if anything");
  diff->add_option("-f,--file", arguments.file, "YAML file, - for standard input")->required();
  commands[diff] = [](const Arguments& given, ctl::Client& client) { return ctl::diff(client, given.file); };
  auto* erase = cli.add_subcommand(
      "delete", "delete objects: vd NAMESPACE/NAME, cluster NAME, override NAME, or those of a file");
  erase->add_option("names", arguments.names, "KIND NAME");
  erase->add_option("-f,--file", arguments.file, "YAML file, - for standard input");
  commands[erase] = [](const Arguments& given, ctl::Client& client) {
    return ctl::erase(client, given.names, given.file);
  };
}

void add_reading_commands(CLI::App& cli, Arguments& arguments, std::map<const CLI::App*, Command>& commands) {
  auto* get = cli.add_subcommand("get", "list vd, nodes, endpoints, clusters or overrides");
  get->add_option("kind", arguments.kind, "vd, nodes, endpoints, clusters, overrides")->required();
  get->add_option("name", arguments.name, "only this one");
  get->add_option("--limit", arguments.rows.most, "show no more than so many")->check(CLI::PositiveNumber);
  get->add_option("--chunk-size", arguments.rows.page, "ask for so many at a time")
      ->check(CLI::Range(1U, 100000U))
      ->capture_default_str();
  commands[get] = [](const Arguments& given, ctl::Client& client) {
    return with_kind(given, [&](const auto& kind) {
      return ctl::get(client, {kind, given.name}, given.output, unix_now(), given.rows);
    });
  };
  auto* describe = cli.add_subcommand("describe", "everything about one thing");
  describe->add_option("kind", arguments.kind, "vd, node, endpoint, cluster, override")->required();
  describe->add_option("name", arguments.name, "NAMESPACE/NAME, CLUSTER/NODE, the endpoint's key, or the name")
      ->required();
  commands[describe] = [](const Arguments& given, ctl::Client& client) {
    return with_kind(given, [&](const auto& kind) {
      return ctl::describe(client, {kind, given.name}, given.output, unix_now());
    });
  };
  auto* explain = cli.add_subcommand("explain", "what a client gets for a host, and why");
  explain->add_option("host", arguments.host, "app-b.mesh.internal")->required();
  explain->add_option("--client", arguments.client, "address of the client; else 127.0.0.1");
  explain->add_option("--listener", arguments.listener, "as if asked at this listen address");
  commands[explain] = [](const Arguments& given, ctl::Client& client) {
    v1::ExplainRequest request;
    request.set_host(given.host);
    request.set_client(given.client);
    request.set_listener(given.listener);
    return ctl::explain(client, request, given.output);
  };
  auto* status = cli.add_subcommand("status", "how the federation is");
  commands[status] = [](const Arguments& given, ctl::Client& client) { return ctl::status(client, given.output); };
  auto* approve = cli.add_subcommand(
      "approve-shrink", "a replica takes the far smaller set that it refuses; a federation ends its recovery");
  commands[approve] = [](const Arguments&, ctl::Client& client) { return ctl::approve_shrink(client); };
}

constexpr const char* kTarget = "endpoint=, node=, service=NAMESPACE/NAME, zone= or cluster=, and a name";

/// Who makes an override, and for how long.
void add_override_options(CLI::App& command, ctl::OverrideFlags& flags) {
  command.add_option("--author", flags.author, "who does it; default: $USER@host");
  command.add_option("--for", flags.length, "how long, or never")->type_name("DURATION");
}

void add_target_options(CLI::App& command, ctl::OverrideFlags& flags) {
  command.add_option("target", flags.target, kTarget)->required();
  command.add_flag("--local", flags.local, "of this replica alone, while it has lost its federation; for 1h");
}

void add_override_commands(CLI::App& cli, Arguments& arguments, std::map<const CLI::App*, Command>& commands) {
  ctl::OverrideFlags& flags = arguments.override;
  const char* forced = "even if it leaves hosts without serving endpoints";
  auto* drain = cli.add_subcommand("drain", "send clients elsewhere, as long as anything else serves");
  add_target_options(*drain, flags);
  add_override_options(*drain, flags);
  drain->add_option("--reason", flags.reason, "why; shown in explain");
  drain->add_flag("--force", flags.force, forced);
  commands[drain] = [](const auto& given, auto& client) { return ctl::drain(client, given.override, unix_now()); };
  auto* undrain = cli.add_subcommand("undrain", "take a drain back");
  add_target_options(*undrain, flags);
  commands[undrain] = [](const auto& given, auto& client) { return ctl::undrain(client, given.override); };
  auto* force = cli.add_subcommand("force", "up: answer it whatever its health is; down: never answer it");
  force->add_option("action", flags.action, "up or down")->required()->check(CLI::IsMember({"up", "down"}));
  add_target_options(*force, flags);
  add_override_options(*force, flags);
  force->get_option("--for")->required();
  force->add_option("--reason", flags.reason, "why; shown in explain")->required();
  force->add_flag("--force", flags.force, forced);
  commands[force] = [](const auto& given, auto& client) { return ctl::force(client, given.override, unix_now()); };
  auto* unforce = cli.add_subcommand("unforce", "take a force up or down back");
  add_target_options(*unforce, flags);
  commands[unforce] = [](const auto& given, auto& client) { return ctl::unforce(client, given.override); };
  auto* freeze = cli.add_subcommand("freeze", "the whole mesh stays as it is: what agents tell is held back");
  add_override_options(*freeze, flags);
  freeze->add_option("--reason", flags.reason, "why; shown in explain")->required();
  commands[freeze] = [](const auto& given, auto& client) { return ctl::freeze(client, given.override, unix_now()); };
  auto* thaw = cli.add_subcommand("thaw", "end the freeze: what was held back becomes true at once");
  commands[thaw] = [](const auto&, auto& client) { return ctl::thaw(client); };
}

void add_capture_command(CLI::App& cli, Arguments& arguments, std::map<const CLI::App*, Command>& commands) {
  auto* capture = cli.add_subcommand("capture", "some of the queries that come, while they come");
  capture->add_option("--host", arguments.host, "this name and what is below; else all");
  capture->add_option("--client", arguments.prefix, "clients of this prefix; else all");
  capture->add_option("--for", arguments.length, "how long")->type_name("DURATION")->capture_default_str();
  commands[capture] = [](const Arguments& given, ctl::Client& client) {
    const auto length = parse_duration(given.length);
    if (!length) {
      std::cerr << "--for: " << length.error().message() << "\n";
      return int{ctl::kWrongUsage};
    }
    v1::CaptureRequest request;
    request.set_host(given.host);
    request.set_client(given.prefix);
    return ctl::capture(client, request, *length, given.output);
  };
}

void add_server_flags(CLI::App& cli, ctl::ServerFlags& flags) {
  cli.add_option("--server", flags.server,
                 "unix:/path of meshdnsd's socket, or HOST:PORT of a federation (or $MESHDNS_SERVER)");
  cli.add_option("--ca", flags.ca, "who signs that federation's certificate (or $MESHDNS_CA)")->type_name("FILE");
  cli.add_option("--certificate", flags.certificate, "the own certificate for it (or $MESHDNS_CERTIFICATE)")
      ->type_name("FILE");
  cli.add_option("--key", flags.key, "the certificate's key (or $MESHDNS_KEY)")->type_name("FILE");
}

int complete(const Arguments& arguments) {
  if (arguments.shell != "bash") {
    std::cerr << "only bash is known\n";
    return ctl::kWrongUsage;
  }
  std::cout << ctl::bash_completion();
  return ctl::kOk;
}

}  // namespace

int main(int argc, char** argv) {
  rpc::prepare_command();
  Arguments arguments;
  std::map<const CLI::App*, Command> commands;
  CLI::App cli("meshdnsctl: shows and changes what meshdnsd answers", "meshdnsctl");
  cli.set_version_flag("--version", std::string("meshdnsctl ") + MESHDNS_VERSION);
  cli.require_subcommand(1);
  cli.fallthrough();
  add_server_flags(cli, arguments.server);
  const std::map<std::string, Output> outputs = {
      {"table", Output::Table}, {"json", Output::Json}, {"yaml", Output::Yaml}};
  cli.add_option("-o,--output", arguments.output, "table, json or yaml")
      ->transform(CLI::CheckedTransformer(outputs, CLI::ignore_case).description(""))
      ->type_name("FORMAT");
  add_objects_commands(cli, arguments, commands);
  add_reading_commands(cli, arguments, commands);
  add_override_commands(cli, arguments, commands);
  add_capture_command(cli, arguments, commands);
  std::vector<ctl::Tool> tools;
  ctl::add_simulate(cli, tools);
  ctl::add_history(cli, tools);
  ctl::add_lint(cli, tools);
  auto* completion = cli.add_subcommand("completion", "a script for shell completion");
  completion->add_option("shell", arguments.shell, "bash")->required();
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? ctl::kOk : ctl::kWrongUsage;
  }
  if (completion->parsed()) return complete(arguments);
  const auto* command = cli.get_subcommands().front();
  const auto tool = std::ranges::find(tools, command, &ctl::Tool::command);
  if (tool != tools.end() && tool->offline()) return tool->run(nullptr, arguments.output);
  const auto server = ctl::server_of(arguments.server, SystemClock().unix_seconds());
  if (!server) {
    std::cerr << server.error().message() << "\n";
    return ctl::kWrongUsage;
  }
  ctl::Client client(*server);
  return tool != tools.end() ? tool->run(&client, arguments.output) : commands.at(command)(arguments, client);
}
