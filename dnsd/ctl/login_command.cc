#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <memory>

#include "common/base/table.h"
#include "common/base/whole_file.h"
#include "common/membership/enroll.h"
#include "common/time/system_clock.h"
#include "common/time/time_text.h"
#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/contexts.h"
#include "dnsd/ctl/tool.h"

namespace meshdns::ctl {
namespace {

struct Flags {
  std::string token_file, name, context;
};

/// Reads a token: of standard input if the path is "-".
Result<std::string> token_in(const std::string& path) {
  if (path == "-") return std::string{std::istreambuf_iterator<char>(std::cin), {}};
  return read_file(path);
}

/// Accepts every federation of the authority that the token names: an operator may administrate any cluster.
Result<void> any_federation(const std::vector<std::string>& uris) {
  const auto rules = identity::Rules::make({}, "");
  const auto who = rules->identify(uris);
  if (!who) return who.error();
  if (who->role == identity::Role::Federation) return {};
  return Error(Code::PermissionDenied, "it is " + identity::text(*who) + ", not a federation");
}

int login(const Flags& flags, const std::string& server) {
  if (server.empty() || server.starts_with("unix:") || server.starts_with('/'))
    return fail(Error(Code::InvalidArgument, "--server HOST:PORT of the federation is needed"));
  const auto context = context_named(flags.context, server);
  if (!context) return fail(context.error());
  const auto token = token_in(flags.token_file);
  if (!token) return fail(token.error());
  const membership::Member member{{server}, flags.name, context->files, any_federation};
  if (const auto done = membership::enroll(member, *token, SystemClock().unix_seconds()); !done)
    return fail(done.error());
  if (const auto kept = keep_context(*context); !kept) return fail(kept.error());
  if (const auto used = use_context(context->name); !used) return fail(used.error());
  const auto file = rpc::inspect(context->files, SystemClock().unix_seconds()).front();
  std::cout << "logged in at " << server << " as " << flags.name << " until " << time_text(file.not_after)
            << "; context " << context->name << " is the current one\n";
  return kOk;
}

int list() {
  const auto current = current_context();
  Table table({"", "NAME", "SERVER", "UNTIL"});
  for (const Context& each : contexts()) {
    const auto file = rpc::inspect(each.files, SystemClock().unix_seconds()).front();
    const std::string until = file.problem.empty() ? time_text(file.not_after) : file.problem;
    table.add({current && current->name == each.name ? "*" : "", each.name, each.server, until});
  }
  std::cout << (table.empty() ? "there are no contexts: meshdnsctl login makes one\n" : table.text());
  return kOk;
}

int use(const std::string& name) {
  if (const auto used = use_context(name); !used) return fail(used.error());
  std::cout << "context " << name << " is the current one\n";
  return kOk;
}

}  // namespace

void add_login(CLI::App& cli, const ServerFlags& server, std::vector<Tool>& tools) {
  const auto flags = std::make_shared<Flags>();
  auto* command = cli.add_subcommand("login", "get an operator's certificate for a federation with a token");
  command->add_option("--token-file", flags->token_file, "a token for an operator, - for standard input")->required();
  command->add_option("--name", flags->name, "the name that the token is for")->required();
  command->add_option("--context", flags->context, "the name under which it is kept")->default_val("default");
  tools.push_back(
      {command, [] { return true; }, [flags, &server](AdminClient*, Output) { return login(*flags, server.server); }});

  auto* context = cli.add_subcommand("context", "the federations at which you have logged in");
  context->require_subcommand(1);
  auto* list_part = context->add_subcommand("list", "all of them");
  auto* use_part = context->add_subcommand("use", "make one the server of all commands without --server");
  use_part->add_option("name", flags->context, "of the context")->required();
  tools.push_back(
      {context, [] { return true; },
       [flags, list_part](AdminClient*, Output) { return list_part->parsed() ? list() : use(flags->context); }});
}

}  // namespace meshdns::ctl
