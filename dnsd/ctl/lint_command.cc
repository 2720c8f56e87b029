#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <vector>

#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/lint_view.h"
#include "dnsd/ctl/offline.h"
#include "dnsd/ctl/tool.h"
#include "dnsd/explain/findings.h"

namespace meshdns::ctl {
namespace {

struct Flags {
  std::string file;
  std::string fail_on = "warning";
  OfflineFlags offline;
};

/// Returns the lowest severity with which the command fails.
v1::Finding::Severity threshold(const std::string& fail_on) {
  if (fail_on == "advice") return v1::Finding::ADVICE;
  return fail_on == "error" ? v1::Finding::ERROR : v1::Finding::WARNING;
}

/// Lints against the mesh in a file: the request's objects, or the file's own objects if it has none.
Result<v1::LintReply> linted(const OfflineFlags& flags, v1::LintRequest request) {
  const auto mesh = offline_mesh(flags);
  if (!mesh) return mesh.error();
  const auto file = read_mesh(flags.file);
  if (!file) return file.error();
  if (request.objects().empty()) *request.mutable_objects() = file->objects();
  const explain::Scene scene = (*mesh)->scene();
  explain::Linter linter(scene.catalog.records(), scene.planner, scene.settings, scene.now);
  v1::LintReply out;
  for (const v1::Object& object : request.objects()) linter.expect(object);
  for (const v1::Object& object : request.objects()) {
    for (v1::Finding& finding : linter.look(object)) *out.add_findings() = std::move(finding);
  }
  out.set_objects(static_cast<std::uint32_t>(request.objects_size()));
  return out;
}

int lint(const Flags& flags, AdminClient* client, Output output) {
  v1::LintRequest request;
  if (!flags.file.empty()) {
    const auto objects = read_objects(flags.file, "nothing else looked at");
    if (!objects) return kWrongUsage;
    for (const v1::Object& object : *objects) *request.add_objects() = object;
  }
  const auto reply = client != nullptr ? client->lint(request) : linted(flags.offline, request);
  if (!reply) return fail(reply.error());
  std::cout << (is_for_people(output) ? lint_view(*reply, flags.file) : document(*reply, output));
  const bool bad = std::ranges::any_of(
      reply->findings(), [&](const v1::Finding& finding) { return finding.severity() >= threshold(flags.fail_on); });
  return bad ? kFailed : kOk;
}

}  // namespace

void add_lint(CLI::App& cli, std::vector<Tool>& tools) {
  const auto flags = std::make_shared<Flags>();
  auto* command =
      cli.add_subcommand("lint", "what is suspicious in objects; exit code 1 if anything is as severe as --fail-on");
  command->add_option("-f,--file", flags->file, "YAML file of objects, - for standard input; else those that are live");
  command->add_option("--fail-on", flags->fail_on, "advice, warning or error")
      ->check(CLI::IsMember({"advice", "warning", "error"}))
      ->capture_default_str();
  add_offline_flags(*command, "--mesh", flags->offline);
  tools.push_back({command, [flags] { return !flags->offline.file.empty(); },
                   [flags](AdminClient* client, Output output) { return lint(*flags, client, output); }});
}

}  // namespace meshdns::ctl
