#include <CLI/CLI.hpp>
#include <iostream>
#include <string_view>
#include <vector>

#include "agent/app/commands.h"
#include "agent/app/completion.h"
#include "agent/app/daemon.h"
#include "agent/app/leave.h"
#include "agent/app/once.h"
#include "agent/app/program_problems.h"
#include "agent/app/version.h"
#include "common/base/descriptor_limit.h"
#include "common/base/output.h"
#include "common/base/runtime_dir.h"
#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/config/log_settings.h"
#include "common/log/log.h"
#include "common/membership/joining.h"
#include "common/process/daemon_process.h"
#include "common/process/signals.h"
#include "common/rpc/credentials.h"
#include "common/rpc/tls_files.h"
#include "common/time/system_clock.h"

namespace {

using namespace meshdns;
namespace app = meshdns::agent::app;

using process::kFailed;
using process::kWrongUsage;
using process::wrong_config;

// The most threads and descriptors that the libraries take at the start.
constexpr std::size_t kThreads = 16;
constexpr std::size_t kDescriptors = 40;
constexpr std::size_t kManyDescriptors = 65536;  // wanted, up to the hard limit: each running check takes one

struct Flags {
  std::string config = "/etc/meshdns/agent.yaml";
  std::string log_level;  // empty = as the file says
  bool check_config = false;
  bool once = false;
  bool dev = false;
  bool leave = false;
};

void print_dev_hints(const app::Configuration& configuration) {
  std::cerr << "meshdns-agent reports the endpoints in ./endpoints.d to a `meshdnsd --dev`. In other shells:\n"
            << "  mkdir -p endpoints.d; cat > endpoints.d/hello.yaml <<END\n"
            << "  endpoints: [{namespace: shop, service: hello, ports: [{name: http, number: 8000}]}]\n"
            << "  END\n"
            << "  python3 -m http.server 8000\n"
            << "  dig @127.0.0.1 -p 8053 hello.shop.mesh.internal\n"
            << "  curl http://" << configuration.admin_address().text() << "/v1/status\n";
}

/// Checks endpoints.d and its files too. With --dev the folder need not exist yet.
int check_config(const app::Configuration& configuration, const Flags& flags) {
  log::set_level(log::Level::Error);
  discovery::StaticSource source(configuration.directory, {configuration.node.addresses});
  source.refresh();
  for (const auto& other : source.others()) std::cerr << other << ": not read, its name does not end in .yaml\n";
  std::string problems;
  if (!source.error().empty() && !flags.dev) problems += source.error() + "\n";
  for (const auto& file : source.files()) problems += file.error.empty() ? "" : file.error + "\n";
  for (const auto& problem : app::program_problems(source.endpoints(), configuration.programs())) {
    problems += problem + "\n";
  }
  const auto usable = configuration.check_certificate(SystemClock().unix_seconds());
  if (!usable) problems += usable.error().message() + "\n";
  if (!problems.empty()) return wrong_config(problems);
  std::cout << (flags.dev ? "--dev" : flags.config) << ": ok, " << counted(source.endpoints().size(), "endpoint")
            << " in " << configuration.directory << "\n";
  return 0;
}

/// Runs the modes that are not a daemon: `leave` and --once.
int run_once(const app::Configuration& configuration, const Flags& flags) {
  process::release_signals();
  const SystemClock clock;
  process::EventLoop loop;
  return flags.leave ? app::leave(loop, clock, configuration) : app::once(loop, clock, configuration, std::cout);
}

int run(app::Configuration configuration, const Flags& flags) {
  raise_descriptor_limit(kManyDescriptors);
  if (const auto room = process::check_room(kThreads, kDescriptors); !room) return process::cannot_start(room.error());
  const SystemClock clock;
  process::EventLoop loop;
  if (flags.dev) print_dev_hints(configuration);
  if (configuration.joins()) {
    const auto joined = membership::join_mesh(configuration.member(), clock);
    if (!joined) return process::cannot_start(joined.error());
  }
  app::Daemon daemon(loop, clock, std::move(configuration), flags.dev ? "" : flags.config);
  const auto signals = process::Signals::start(loop, {[&] { daemon.reload(); }, [&] { daemon.stop(); }});
  if (const auto started = signals ? daemon.start() : Result<void>(signals.error()); !started) {
    return process::cannot_start(started.error());
  }
  loop.run();
  log::info("stopped");
  return daemon.exit_code();
}

/// Returns where the agent of this node listens, by its configuration. Of a configuration only the socket counts here:
/// whoever may use the socket need not be able to read the keys that the configuration names.
/// errors: the file cannot be read, or is wrong
Result<std::string> socket_of(const Flags& flags) {
  if (flags.dev) {
    const auto dev = app::dev_configuration(dev_folder(), app::this_machine());
    if (!dev) return Error(Code::InvalidArgument, config::problems_text(dev.error()));
    return dev->file.admin().socket();
  }
  const auto text = read_file(flags.config);
  if (!text) {
    return Error(text.error().code(), text.error().message() + "; --socket PATH says where the agent listens");
  }
  const auto file = config::load_agent(*text, flags.config);
  if (!file) return Error(Code::InvalidArgument, config::problems_text(file.error()));
  return file->admin().socket();
}

/// Carries out a command for the agent that runs on this node.
int run_command(const app::Commands& commands, const Flags& flags) {
  if (commands.is_alone() || !commands.socket().empty()) return commands.run(commands.socket());
  const auto socket = socket_of(flags);
  if (socket) return commands.run(*socket);
  std::cerr << trim(socket.error().message()) << "\n";
  return kWrongUsage;
}

/// Prints the words that complete the last of `words`, for the script of `completion bash`.
int complete(const std::vector<std::string>& words) {
  const auto names = [&words] {
    Flags flags;
    std::string socket;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] == "--config") flags.config = words[i + 1];
      if (words[i] == "--socket") socket = words[i + 1];
    }
    return app::names_at(socket.empty() ? socket_of(flags).value_or("") : socket);
  };
  for (const std::string& word : app::completions(words, names)) std::cout << word << "\n";
  return 0;
}

void add_flags(CLI::App& cli, Flags& flags) {
  cli.set_version_flag("--version", std::string("meshdns-agent ") + app::kVersion);
  auto* config = cli.add_option("--config", flags.config, "configuration file")->capture_default_str();
  auto* check = cli.add_flag("--check-config", flags.check_config, "check configuration and endpoints.d, and end");
  auto* once = cli.add_flag("--once", flags.once, "run each check once, print what it says, and end");
  cli.add_flag("--dev", flags.dev, "run without a configuration, beside a `meshdnsd --dev`")->excludes(config);
  once->excludes(check);
  cli.add_option("--log-level", flags.log_level, "debug, info, warn or error; stronger than the file's log.level")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}).description(""))
      ->type_name("LEVEL");
  auto* leave = cli.add_subcommand("leave", "withdraw this node's records; a running agent ends");
  leave->fallthrough()->callback([&flags] { flags.leave = true; });
}

int run_program(int argc, char** argv) {
  Flags flags;
  app::Commands commands;
  CLI::App cli("meshdns-agent: reports the health of this node's endpoints", "meshdns-agent");
  add_flags(cli, flags);
  commands.add_to(cli);
  if (argc > 1 && std::string_view(argv[1]) == "__complete") return complete({argv + 2, argv + argc});
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : kWrongUsage;
  }
  if (commands.chosen()) return run_command(commands, flags);
  const auto machine = app::this_machine();
  auto configuration =
      flags.dev ? app::dev_configuration(dev_folder(), machine) : app::load_configuration(flags.config, machine);
  if (!configuration) return wrong_config(config::problems_text(configuration.error()));
  if (flags.check_config) return check_config(*configuration, flags);
  if (const auto made = flags.dev ? own_dev_folder() : Result<void>{}; !made) {
    std::cerr << made.error().message() << "\n";
    return kFailed;
  }
  if (flags.leave || flags.once) return run_once(*configuration, flags);
  if (!flags.log_level.empty()) log::fix_level(*log::level_named(flags.log_level));
  config::apply_log(configuration->file.log());
  return process::run_daemon([&] { return run(std::move(*configuration), flags); });
}

}  // namespace

int main(int argc, char** argv) {
  process::prepare_daemon();
  clean_output();
  rpc::prepare_process([] { return SystemClock().unix_seconds(); });
  return end_output(run_program(argc, argv));
}
