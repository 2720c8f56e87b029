#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <utility>

#include "common/base/printable.h"
#include "common/config/load.h"
#include "common/convert/object_convert.h"
#include "common/model/override.h"
#include "common/time/system_clock.h"
#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/offline.h"
#include "dnsd/ctl/simulate_view.h"
#include "dnsd/ctl/tool.h"
#include "dnsd/explain/survey.h"

namespace meshdns::ctl {
namespace {

constexpr std::size_t kSteps = 10000;  // of a survey in one slice: no other work waits for the thread

struct Flags {
  std::string host;
  std::string client;
  std::string listener;
  std::vector<std::string> down;
  std::vector<std::string> drain;
  std::vector<std::string> up;
  bool clear = false;
  OfflineFlags offline;
};

Result<void> add_targets(const std::vector<std::string>& targets, const char* action, const char* flag,
                         v1::SimulateRequest& request) {
  for (const std::string& text : targets) {
    if (const auto target = model::parse_target(text); !target) return target.error().with_context(flag);
    v1::OverrideSpec& spec = *request.add_overrides();
    spec.set_action(action);
    convert::set_target(spec, text);
  }
  return {};
}

Result<v1::SimulateRequest> request_of(const Flags& flags) {
  v1::SimulateRequest request;
  request.mutable_explain()->set_host(flags.host);
  request.mutable_explain()->set_client(flags.client);
  request.mutable_explain()->set_listener(flags.listener);
  request.set_clear(flags.clear);
  if (flags.host.empty() && !(flags.client.empty() && flags.listener.empty())) {
    return Error(Code::InvalidArgument,
                 "--client and --listener need a HOST; without one all clusters are looked from");
  }
  if (auto done = add_targets(flags.down, "Down", "--down", request); !done) return done.error();
  if (auto done = add_targets(flags.drain, "Drain", "--drain", request); !done) return done.error();
  if (auto done = add_targets(flags.up, "Up", "--up", request); !done) return done.error();
  if (!request.overrides().empty() || request.clear()) return request;
  return Error(Code::InvalidArgument, "say what to suppose: --down, --drain or --up TARGET, or --clear");
}

Result<v1::SimulateReply> simulated(explain::OfflineMesh& mesh, const v1::SimulateRequest& request) {
  const explain::Scene scene = mesh.scene();
  auto supposition = explain::supposed(scene.catalog.records().overrides, request);
  if (!supposition) return supposition.error();
  if (!request.explain().host().empty()) return explain::simulate(scene, request, *supposition);
  explain::Survey survey(scene, *std::move(supposition));
  while (!survey.look(scene, kSteps)) {
  }
  return survey.reply();
}

int simulate(const Flags& flags, AdminClient* client, Output output) {
  const auto request = request_of(flags);
  if (!request) return fail(request.error());
  Result<v1::SimulateReply> reply = Error(Code::Unavailable, "no server");
  if (client != nullptr) {
    reply = client->simulate(*request);
  } else {
    const auto mesh = offline_mesh(flags.offline);
    if (!mesh) return fail(mesh.error());
    reply = simulated(**mesh, *request);
  }
  if (!reply) return fail(reply.error());
  for (const std::string& note : reply->notes()) std::cerr << printable(note) << "\n";
  if (!is_for_people(output)) {
    std::cout << document(*reply, output);
  } else {
    std::cout << (flags.host.empty() ? survey_view(*request, *reply) : simulation_view(*request, *reply));
  }
  return kOk;
}

}  // namespace

void add_simulate(CLI::App& cli, std::vector<Tool>& tools) {
  const auto flags = std::make_shared<Flags>();
  auto* command = cli.add_subcommand("simulate", "what clients would get if endpoints were down, drained or up");
  command->add_option("host", flags->host, "app-b.mesh.internal; without it all hosts, seen from all clusters");
  command->add_option("--client", flags->client, "address of the client; else 127.0.0.1");
  command->add_option("--listener", flags->listener, "as if asked at this listen address");
  const char* kTarget = "TARGET";
  command->add_option("--down", flags->down, "cluster=eu-1, zone=, node=, service=, endpoint=; may be repeated")
      ->type_name(kTarget)
      ->allow_extra_args(false);
  command->add_option("--drain", flags->drain, "the same, draining")->type_name(kTarget)->allow_extra_args(false);
  command->add_option("--up", flags->up, "the same, serving whatever its checks say")
      ->type_name(kTarget)
      ->allow_extra_args(false);
  command->add_flag("--clear", flags->clear, "as if no override were there");
  add_offline_flags(*command, "-f,--file", flags->offline);
  tools.push_back({command, [flags] { return !flags->offline.file.empty(); },
                   [flags](AdminClient* client, Output output) { return simulate(*flags, client, output); }});
}

}  // namespace meshdns::ctl
