#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <utility>

#include "dnsd/ctl/append.h"
#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/history_view.h"
#include "dnsd/ctl/tool.h"

namespace meshdns::ctl {
namespace {

int history(const std::string& host, AdminClient& client, Output output) {
  v1::EventsRequest request;
  request.set_host(host);
  request.set_limit(AdminClient::kRows);
  v1::EventsReply all;
  do {
    auto page = client.events(request);
    if (!page) return fail(page.error());
    request.set_continue_(page->continue_());
    append(*std::move(page), all);
  } while (!request.continue_().empty());
  if (!is_for_people(output)) {
    std::cout << document(all, output);
    return kOk;
  }
  for (const v1::Event& event : all.events()) std::cout << event_view(event);
  if (all.events().empty()) std::cout << "nothing has changed since meshdnsd began\n";
  return kOk;
}

int show_changes(AdminClient& client, Output output) {
  const auto reply = client.changes();
  if (!reply) return fail(reply.error());
  if (!is_for_people(output)) {
    std::cout << document(*reply, output);
    return kOk;
  }
  for (const v1::Change& change : reply->changes()) std::cout << change_view(change);
  if (reply->changes().empty()) std::cout << "nobody has changed anything since meshdnsd began\n";
  return kOk;
}

/// Makes the process end with the first signal. The output is flushed after each event, and nothing else needs
/// cleaning.
void end_on_signals() {
  for (const int number : {SIGINT, SIGTERM}) {
    std::signal(number, [](int) { ::_exit(kOk); });
  }
}

/// Returns whether a server that does not answer may come back, because it is being restarted.
bool may_return(const Error& error) {
  return error.code() == Code::Unavailable || error.code() == Code::DeadlineExceeded;
}

int watch(const std::string& host, AdminClient& client, Output output) {
  end_on_signals();
  v1::EventsRequest request;
  request.set_host(host);
  request.set_wait(true);
  bool answered = false;
  bool lost = false;
  while (std::cout) {
    const auto reply = client.events(request, answered);
    if (!reply && !(answered && may_return(reply.error()))) return fail(reply.error());
    if (!reply) {
      if (!std::exchange(lost, true)) std::cerr << reply.error().message() << "; waiting for it\n";
      continue;
    }
    answered = true;
    if (std::exchange(lost, false)) std::cerr << "connected again\n";
    for (const v1::Event& event : reply->events()) {
      std::cout << (is_for_people(output) ? event_view(event) : stream_document(event, output));
    }
    std::cout << std::flush;
    request.set_after(reply->last());
  }
  return kFailed;  // nobody reads it any more
}

}  // namespace

void add_history(CLI::App& cli, std::vector<Tool>& tools) {
  const auto host = std::make_shared<std::string>();
  const auto by_whom = std::make_shared<bool>(false);
  auto* past = cli.add_subcommand("history", "what was answered for a host, when, and why; or who changed what");
  auto* of_host = past->add_option("host", *host, "app-b.mesh.internal");
  past->add_flag("--changes", *by_whom, "the last changes of operators, and what was refused, instead of a host's")
      ->excludes(of_host);
  tools.push_back({.command = past, .run = [host, by_whom](AdminClient* client, Output output) {
                     if (*by_whom) return show_changes(*client, output);
                     if (!host->empty()) return history(*host, *client, output);
                     std::cerr << "say which host: history HOST, or history --changes\n";
                     return int{kWrongUsage};
                   }});
  auto* coming = cli.add_subcommand("watch", "what changes in answers, and why, as it comes; until Ctrl-C");
  coming->add_option("host", *host, "app-b.mesh.internal; else all hosts");
  tools.push_back(
      {.command = coming, .run = [host](AdminClient* client, Output output) { return watch(*host, *client, output); }});
}

}  // namespace meshdns::ctl
