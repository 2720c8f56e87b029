#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <vector>

#include "common/base/output.h"
#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/rpc/credentials.h"
#include "common/time/duration_text.h"
#include "common/time/system_clock.h"
#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/completion.h"
#include "dnsd/ctl/help.h"
#include "dnsd/ctl/override_commands.h"
#include "dnsd/ctl/server_access.h"
#include "dnsd/ctl/tool.h"

namespace {

using namespace meshdns;
using ctl::Output;

/// Everything that the command line can hold.
struct Arguments {
  ctl::ServerFlags server;
  Output output = Output::Table;
  std::vector<std::string> files;       // -f, may be repeated
  std::vector<std::string> more_files;  // files given as arguments
  ctl::ApplyFlags apply;
  bool ignore_not_found = false;
  bool check = false;
  bool watch = false;
  std::string kind;
  ctl::ListSelection named;
  ctl::RowLimits rows;
  std::vector<std::string> names;
  std::string host;
  std::string client;
  std::string listener;
  std::string prefix;
  std::string length = "10s";
  std::string shell;
  std::string node;
  ctl::OverrideFlags override;

  std::vector<std::string> all_files() const {
    std::vector<std::string> out = files;
    out.insert(out.end(), more_files.begin(), more_files.end());
    return out;
  }
};

std::int64_t unix_now() { return SystemClock().unix_seconds(); }

using Command = std::function<int(const Arguments&, ctl::AdminClient&)>;

int with_kind(const Arguments& arguments, const std::function<int(const std::string&)>& run) {
  if (const auto kind = ctl::kind_named(arguments.kind)) return run(*kind);
  std::cerr << ctl::unknown_kind(arguments.kind) << "\n";
  return ctl::kWrongUsage;
}

using WithFiles = std::function<int(const std::vector<std::string>&)>;

int with_files(const Arguments& arguments, const WithFiles& run) {
  const auto files = arguments.all_files();
  if (!files.empty()) return run(files);
  std::cerr << "say which files: FILE, FOLDER, or - for standard input\n";
  return ctl::kWrongUsage;
}

void add_file_options(CLI::App& command, Arguments& arguments) {
  command.add_option("files", arguments.more_files, "YAML or JSON files, folders of them, - for standard input");
  command.add_option("-f,--file", arguments.files, "the same; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

void add_objects_commands(CLI::App& cli, Arguments& arguments, std::map<const CLI::App*, Command>& commands) {
  auto* apply = cli.add_subcommand("apply", "create or change objects: all of the files, or none");
  add_file_options(*apply, arguments);
  apply->add_flag("--dry-run", arguments.apply.dry_run, "check and say what would happen");
  apply->add_flag("--strict", arguments.apply.strict, "refuse what lint warns of");
  apply->add_flag("--force", arguments.apply.force,
                  "take over objects of another manager; overrides that leave hosts without endpoints");
  commands[apply] = [](const Arguments& given, ctl::AdminClient& client) {
    return with_files(given, [&](const auto& files) { return ctl::apply(client, files, given.apply); });
  };
  auto* diff = cli.add_subcommand("diff", "what apply would change; exit code 1 if anything, more if that fails");
  add_file_options(*diff, arguments);
  commands[diff] = [](const Arguments& given, ctl::AdminClient& client) {
    return with_files(given, [&](const auto& files) { return ctl::diff(client, files); });
  };
  auto* erase = cli.add_subcommand("delete", "delete objects, by name or those of files");
  erase->add_option("names", arguments.names, "vd NAMESPACE/NAME, cluster NAME, override NAME");
  erase->add_option("-f,--file", arguments.files, "YAML or JSON file, folder, or - for standard input")
      ->type_name("FILE")
      ->allow_extra_args(false);
  erase->add_flag("--ignore-not-found", arguments.ignore_not_found, "delete what is there of them");
  commands[erase] = [](const Arguments& given, ctl::AdminClient& client) {
    return ctl::erase(client, given.names, given.files, given.ignore_not_found);
  };
  auto* forget = cli.add_subcommand("forget", "forget a node that will not come back, with its endpoints");
  forget->add_option("target", arguments.node, "node=CLUSTER/NAME")->required();
  commands[forget] = [](const Arguments& given, ctl::AdminClient& client) { return ctl::forget(client, given.node); };
}

void add_get_command(CLI::App& cli, Arguments& arguments, std::map<const CLI::App*, Command>& commands) {
  auto* get = cli.add_subcommand("get", "list vd, nodes, endpoints, clusters or overrides");
  get->add_option("kind", arguments.kind, "vd, nodes, endpoints, clusters, overrides")->required();
  get->add_option("name", arguments.named.name, "only this one: its key, the key's last part, or an address");
  get->add_option("--service", arguments.named.service, "endpoints of this service")->type_name("NAMESPACE/NAME");
  get->add_option("--node", arguments.named.node, "endpoints of this node")->type_name("NAME");
  get->add_option("--state", arguments.named.state, "endpoints in this state: serving, last_resort, out, pending")
      ->type_name("STATE");
  get->add_option("-l,--labels", arguments.named.labels, "endpoints with this label; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  get->add_flag("-w,--watch", arguments.watch, "go on with the rows that change, until Ctrl-C");
  get->add_option("--limit", arguments.rows.most, "show no more than so many")->check(CLI::PositiveNumber);
  get->add_option("--chunk-size", arguments.rows.page, "ask for so many at a time")
      ->check(CLI::Range(1U, 100000U))
      ->capture_default_str();
  commands[get] = [](const Arguments& given, ctl::AdminClient& client) {
    return with_kind(given, [&](const auto& kind) {
      ctl::ListSelection what = given.named;
      what.kind = kind;
      if (given.watch) return ctl::get_and_watch(client, what, given.output, unix_now());
      return ctl::get(client, what, given.output, unix_now(), given.rows);
    });
  };
}

void add_reading_commands(CLI::App& cli, Arguments& arguments, std::map<const CLI::App*, Command>& commands) {
  auto* describe = cli.add_subcommand("describe", "everything about one thing");
  describe->add_option("kind", arguments.kind, "vd, node, endpoint, cluster, override")->required();
  describe->add_option("name", arguments.named.name, "its key, the key's last part, or an endpoint's address")
      ->required();
  commands[describe] = [](const Arguments& given, ctl::AdminClient& client) {
    return with_kind(given, [&](const auto& kind) {
      return ctl::describe(client, {.kind = kind, .name = given.named.name}, given.output, unix_now());
    });
  };
  auto* explain = cli.add_subcommand("explain", "what a client gets for a host, and why");
  explain->add_option("host", arguments.host, "app-b.mesh.internal")->required();
  explain->add_option("--client", arguments.client, "address of the client; else 127.0.0.1");
  explain->add_option("--listener", arguments.listener, "as if asked at this listen address");
  commands[explain] = [](const Arguments& given, ctl::AdminClient& client) {
    v1::ExplainRequest request;
    request.set_host(given.host);
    request.set_client(given.client);
    request.set_listener(given.listener);
    return ctl::explain(client, request, given.output);
  };
  auto* status = cli.add_subcommand("status", "how the federation is");
  status->add_flag("--check", arguments.check, "exit code 1 if something is wrong, 2 if nothing is answered");
  commands[status] = [](const Arguments& given, ctl::AdminClient& client) {
    return ctl::status(client, given.output, given.check);
  };
  auto* approve = cli.add_subcommand(
      "approve-shrink", "a replica takes the far smaller set that it refuses; a federation ends its recovery");
  commands[approve] = [](const Arguments&, ctl::AdminClient& client) { return ctl::approve_shrink(client); };
}

constexpr const char* kTarget = "endpoint=, node=, service=NAMESPACE/NAME, zone= or cluster=, and a name";

/// Adds the options for the author and the duration of an override.
void add_override_options(CLI::App& command, ctl::OverrideFlags& flags) {
  command.add_option("--author", flags.author, "who does it; default: the user who calls");
  command.add_option("--for", flags.length, "how long, or never")->type_name("DURATION");
  command.add_flag("--print", flags.print, "change nothing, and print the object for kubectl apply -f -");
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
  commands[capture] = [](const Arguments& given, ctl::AdminClient& client) {
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

/// Sets the output, or throws "--output: expected table, wide, json or yaml (got xml)".
void set_output(const std::string& word, Output& output) {
  static const std::map<std::string, Output> kOutputs = {
      {"table", Output::Table}, {"wide", Output::Wide}, {"json", Output::Json}, {"yaml", Output::Yaml}};
  const auto found = kOutputs.find(ascii_lower(word));
  if (found == kOutputs.end()) {
    throw CLI::ValidationError("--output", "expected table, wide, json or yaml (got " + word + ")");
  }
  output = found->second;
}

/// The command line and the functions that run its commands.
struct Line {
  CLI::App cli{"meshdnsctl: shows and changes what meshdnsd answers", "meshdnsctl"};
  Arguments arguments;
  std::map<const CLI::App*, Command> commands;
  std::vector<ctl::Tool> tools;
  CLI::App* completion = nullptr;

  Line() {
    cli.formatter(ctl::help_formatter());
    cli.set_version_flag("--version", std::string("meshdnsctl ") + MESHDNS_VERSION);
    cli.require_subcommand(1);
    cli.fallthrough();
    add_server_flags(cli, arguments.server);
    cli.add_option_function<std::string>(
           "-o,--output", [this](const std::string& word) { set_output(word, arguments.output); },
           "table, wide, json or yaml")
        ->type_name("FORMAT");
    add_objects_commands(cli, arguments, commands);
    add_get_command(cli, arguments, commands);
    add_reading_commands(cli, arguments, commands);
    add_override_commands(cli, arguments, commands);
    add_capture_command(cli, arguments, commands);
    ctl::add_simulate(cli, tools);
    ctl::add_history(cli, tools);
    ctl::add_lint(cli, tools);
    ctl::add_token(cli, tools);
    ctl::add_login(cli, arguments.server, tools);
    ctl::add_ca(cli, tools);
    completion = cli.add_subcommand("completion", "a script for the completion of command lines in a shell");
    completion->add_option("shell", arguments.shell, "bash, zsh or fish")->required();
    ctl::add_footers(cli);
  }
};

int print_completion(const Arguments& arguments) {
  const auto script = ctl::completion_script(arguments.shell);
  if (!script) {
    std::cerr << "there is no completion for " << arguments.shell << "; there is for bash, zsh and fish\n";
    return ctl::kWrongUsage;
  }
  std::cout << *script;
  return ctl::kOk;
}

/// Prints the completions of the last word, one per line.
int complete(const Line& line, const std::vector<std::string>& words) {
  const auto server = ctl::server_of({}, unix_now());
  const auto names = [&](const std::string& kind) {
    if (!server) return std::vector<std::string>();
    ctl::AdminClient client(*server);
    return ctl::names_of(client, kind);
  };
  for (const std::string& word : ctl::completions(line.cli, words, names)) std::cout << printable(word) << "\n";
  return ctl::kOk;
}

/// Returns the index of the first word that is neither an option nor an option's value; the end if there is none.
std::size_t first_word(const CLI::App& cli, const std::vector<std::string>& words) {
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-')) {
    const CLI::Option* option = cli.get_option_no_throw(words[at]);
    at += option != nullptr && option->get_type_size() > 0 ? 2 : 1;
  }
  return std::min(at, words.size());
}

/// Handles first words that CLI11 does not know: runs `__complete`, turns `version` and `help` into options, and
/// refuses words that are no command.
/// returns: the exit code; nothing = CLI11 has to run `words`
std::optional<int> run_word(Line& line, std::vector<std::string>& words) {
  if (!words.empty() && words.front() == "__complete") return complete(line, {words.begin() + 1, words.end()});
  const std::size_t at = first_word(line.cli, words);
  if (at == words.size()) return std::nullopt;
  const std::string word = words[at];
  if (word == "version") words[at] = "--version";
  if (word == "help") {
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
    words.emplace_back("--help");
  }
  const auto commands = line.cli.get_subcommands([](const CLI::App*) { return true; });
  const bool known = word == "version" || word == "help" ||
                     std::ranges::any_of(commands, [&](const auto* app) { return app->get_name() == word; });
  if (known) return std::nullopt;
  std::cerr << ctl::unknown_command(line.cli, word) << "\n";
  return ctl::kWrongUsage;
}

int run_program(int argc, char** argv) {
  Line line;
  std::vector<std::string> words(argv + 1, argv + argc);
  if (const auto code = run_word(line, words)) return *code;
  std::ranges::reverse(words);  // CLI11 takes the words in reverse
  try {
    line.cli.parse(words);
  } catch (const CLI::ParseError& error) {
    return line.cli.exit(error) == 0 ? ctl::kOk : ctl::kWrongUsage;
  }
  if (line.completion->parsed()) return print_completion(line.arguments);
  const auto* command = line.cli.get_subcommands().front();
  const auto tool = std::ranges::find(line.tools, command, &ctl::Tool::command);
  if (tool != line.tools.end() && tool->offline()) return tool->run(nullptr, line.arguments.output);
  const auto server = ctl::server_of(line.arguments.server, unix_now());
  if (!server) {
    std::cerr << server.error().message() << "\n";
    return ctl::kWrongUsage;
  }
  ctl::AdminClient client(*server);
  return tool != line.tools.end() ? tool->run(&client, line.arguments.output)
                                  : line.commands.at(command)(line.arguments, client);
}

}  // namespace

int main(int argc, char** argv) {
  rpc::prepare_command([] { return SystemClock().unix_seconds(); });
  clean_output();
  return end_output(run_program(argc, argv));
}
