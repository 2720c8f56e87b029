#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>

#include "common/base/output.h"
#include "common/base/runtime_dir.h"
#include "common/config/log_settings.h"
#include "common/log/appended_file.h"
#include "common/log/log.h"
#include "common/membership/joining.h"
#include "common/process/daemon_process.h"
#include "common/process/event_loop.h"
#include "common/process/memory.h"
#include "common/process/signals.h"
#include "common/rpc/credentials.h"
#include "common/rpc/tls_files.h"
#include "common/time/system_clock.h"
#include "dnsd/app/authority_follower.h"
#include "dnsd/app/daemon.h"
#include "dnsd/app/version.h"

namespace {

using namespace meshdns;
namespace app = meshdns::dnsd::app;

using process::kFailed;
using process::kWrongUsage;
using process::wrong_config;

// The most threads and descriptors that libraries need at the start, in addition to the configured workers.
constexpr std::size_t kThreads = 24;
constexpr std::size_t kDescriptors = 48;

struct Flags {
  std::string config = "/etc/meshdns/meshdnsd.yaml";
  std::string log_level;  // empty = as the file says
  bool check_config = false;
  bool dev = false;
};

void print_dev_hints(const app::Configuration& configuration) {
  const std::string socket = configuration.file.admin().socket();
  std::cerr << "meshdnsd runs for development: loopback only, nothing is stored. In other shells:\n"
            << "  meshdns-agent --dev                                   # reports the endpoints in ./endpoints.d\n"
            << "  dig @127.0.0.1 -p 8053 SERVICE.NAMESPACE.mesh.internal\n"
            << "  meshdnsctl --server unix:" << socket << " status\n";
}

int run(app::Configuration configuration, const Flags& flags) {
  const std::size_t workers = configuration.dns_options().workers;
  if (const auto room = process::check_room(kThreads + workers, kDescriptors); !room) {
    return process::cannot_start(room.error());
  }
  const SystemClock clock;
  if (configuration.joins()) {
    const auto joined = membership::join_mesh(configuration.member(), clock);
    if (!joined) return process::cannot_start(joined.error());
  }
  if (configuration.kubernetes.authority_secret) {
    const auto there = app::wait_for_authority(*configuration.kubernetes.authority_secret, clock);
    if (!there) return process::cannot_start(there.error());
  }
  process::EventLoop loop;
  app::Daemon daemon(loop, clock, std::move(configuration), flags.dev ? "" : flags.config);
  const auto signals = process::Signals::start(loop, {[&] { daemon.reload(); }, [&] { daemon.stop(); }});
  const auto started = signals ? daemon.start() : Result<void>(signals.error());
  if (!started) {
    if (started.error().code() == Code::InvalidArgument) {  // endpoints_file
      return wrong_config(started.error().message());
    }
    return process::cannot_start(started.error());
  }
  daemon.started();
  process::release_free_memory();  // reading a store or a snapshot has left much of it
  if (flags.dev) print_dev_hints(daemon.configuration());
  loop.run();
  log::info("stopped");
  return daemon.failed() ? kFailed : 0;
}

void add_flags(CLI::App& cli, Flags& flags) {
  cli.set_version_flag("--version", std::string("meshdnsd ") + app::kVersion);
  auto* config = cli.add_option("--config", flags.config, "configuration file")->capture_default_str();
  cli.add_flag("--check-config", flags.check_config, "check the configuration and end");
  cli.add_flag("--dev", flags.dev, "run on loopback without a configuration: DNS on 127.0.0.1:8053")->excludes(config);
  cli.add_option("--log-level", flags.log_level, "debug, info, warn or error; stronger than the file's log.level")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}).description(""))
      ->type_name("LEVEL");
}

/// Returns whether the file of the audit could be written. A data_dir that does not exist yet is created at the start.
Result<void> check_audit(const app::Configuration& configuration) {
  const std::string path = configuration.audit_file();
  const std::filesystem::path data_dir = configuration.file.data_dir();
  std::error_code ignored;
  const bool created = std::filesystem::path(path).parent_path() == data_dir && !exists(data_dir, ignored);
  return path.empty() || created ? Result<void>{} : log::AppendedFile::check(path);
}

int check_config(app::Configuration configuration, const Flags& flags) {
  process::release_signals();
  if (const auto read = app::read_endpoints(configuration); !read) return wrong_config(read.error().message());
  const auto usable = configuration.check_certificate(SystemClock().unix_seconds());
  if (!usable) return wrong_config(usable.error().message());
  if (const auto writable = check_audit(configuration); !writable) {
    return wrong_config("audit.file: " + writable.error().message());
  }
  std::cout << (flags.dev ? "--dev" : flags.config) << ": ok\n";
  return 0;
}

int run_program(int argc, char** argv) {
  Flags flags;
  CLI::App cli("meshdnsd: answers DNS with the closest healthy endpoints", "meshdnsd");
  add_flags(cli, flags);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : kWrongUsage;
  }
  auto configuration = flags.dev ? app::dev_configuration(dev_folder()) : app::load_without_endpoints(flags.config);
  if (!configuration) return wrong_config(configuration.error().message());
  if (flags.check_config) return check_config(std::move(*configuration), flags);
  if (const auto made = flags.dev ? own_dev_folder() : Result<void>{}; !made)
    return wrong_config(made.error().message());
  if (!flags.log_level.empty()) log::fix_level(*log::level_named(flags.log_level));
  config::apply_log(configuration->file.log());
  return process::run_daemon([&] { return run(std::move(*configuration), flags); });
}

}  // namespace

int main(int argc, char** argv) {
  process::prepare_daemon();
  clean_output();
  process::bound_arenas();
  rpc::prepare_process([] { return SystemClock().unix_seconds(); });
  return end_output(run_program(argc, argv));
}
