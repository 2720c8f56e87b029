#include "dnsd/ctl/commands.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <utility>

#include "common/base/hint.h"
#include "common/base/printable.h"
#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/convert/document.h"
#include "common/convert/object_convert.h"
#include "common/convert/report_convert.h"
#include "common/model/override.h"
#include "dnsd/ctl/diff.h"
#include "dnsd/ctl/explain_view.h"
#include "dnsd/ctl/files.h"
#include "dnsd/ctl/lint_view.h"
#include "dnsd/ctl/views.h"

namespace meshdns::ctl {
namespace {

v1::ApplyRequest apply_request(const std::vector<v1::Object>& objects) {
  v1::ApplyRequest request;
  request.set_manager("cli");
  for (const v1::Object& object : objects) *request.add_objects() = object;
  return request;
}

std::string outcome_text(const v1::ApplyResult& result) {
  switch (result.outcome()) {
    case v1::ApplyResult::CREATED: return "created";
    case v1::ApplyResult::CONFIGURED: return "configured";
    case v1::ApplyResult::UNCHANGED: return "unchanged";
    default: return "refused";
  }
}

/// Prints the refused objects.
/// returns: their number
std::size_t print_refused(const v1::ApplyReply& reply, const char* outcome) {
  std::size_t refused = 0;
  for (const v1::ApplyResult& result : reply.results()) {
    if (result.outcome() != v1::ApplyResult::REFUSED) continue;
    std::cerr << printable(result.key()) << ": " << printable(result.error()) << "\n";
    ++refused;
  }
  if (refused > 0) std::cerr << counted(refused, "error") << ", " << outcome << "\n";
  return refused;
}

/// Returns the object as an operator would write it, without the federation's additions.
std::string written_text(v1::Object object) {
  object.clear_status();
  v1::Metadata metadata;
  metadata.set_name(object.metadata().name());
  metadata.set_namespace_(object.metadata().namespace_());
  *object.mutable_metadata() = metadata;
  return convert::Document(object).yaml();
}

Result<std::vector<std::string>> keys_of(const std::vector<std::string>& names, const std::vector<std::string>& files) {
  std::vector<std::string> keys;
  if (!files.empty()) {
    const auto objects = read_objects(files, "nothing deleted");
    if (!objects) return Error(Code::InvalidArgument, "");
    for (const v1::Object& object : *objects) keys.push_back(convert::object_key(object));
    return keys;
  }
  if (names.size() != 2) return Error(Code::InvalidArgument, "say what to delete: KIND NAME, or -f FILE");
  const auto kind = kind_named(names[0]);
  if (!kind) return Error(Code::InvalidArgument, unknown_kind(names[0]));
  if (*kind == "Endpoint") {
    return Error(Code::InvalidArgument,
                 "endpoints cannot be deleted: their agents report them; drain sends clients elsewhere");
  }
  if (*kind == "Node")
    return Error(Code::InvalidArgument, "nodes cannot be deleted, only forgotten: meshdnsctl forget node=" + names[1]);
  keys.push_back(*kind + "/" + names[1]);
  return keys;
}

/// Returns lint's findings in objects; nothing = lint failed, and the error was printed.
std::optional<v1::LintReply> findings_in(AdminClient& client, const std::vector<v1::Object>& objects) {
  v1::LintRequest request;
  for (const v1::Object& object : objects) *request.add_objects() = object;
  auto reply = client.lint(request);
  if (reply) return *std::move(reply);
  std::cerr << "lint: " << reply.error().message() << "\n";
  return std::nullopt;
}

bool is_serious(const v1::LintReply& reply) {
  return std::ranges::any_of(reply.findings(),
                             [](const v1::Finding& finding) { return finding.severity() >= v1::Finding::WARNING; });
}

}  // namespace

int fail(const Error& error) {
  std::cerr << error.message() << "\n";
  return error.code() == Code::InvalidArgument ? kWrongUsage : kFailed;
}

Result<Owner> owner_of(std::string_view role, const std::string& text) {
  const auto slash = text.find('/');
  if (slash != std::string::npos) return Owner{text.substr(0, slash), text.substr(slash + 1)};
  return Error(Code::InvalidArgument, "--" + std::string(role) + ": expected CLUSTER/NAME (got " + text + ")");
}

std::optional<std::string> kind_named(const std::string& word) {
  static const std::map<std::string, std::string> kKinds = {{"vd", "VirtualDestination"},
                                                            {"vds", "VirtualDestination"},
                                                            {"virtualdestination", "VirtualDestination"},
                                                            {"virtualdestinations", "VirtualDestination"},
                                                            {"node", "Node"},
                                                            {"nodes", "Node"},
                                                            {"endpoint", "Endpoint"},
                                                            {"endpoints", "Endpoint"},
                                                            {"cluster", "Cluster"},
                                                            {"clusters", "Cluster"},
                                                            {"meshcluster", "Cluster"},
                                                            {"meshclusters", "Cluster"},
                                                            {"override", "Override"},
                                                            {"overrides", "Override"}};
  const auto found = kKinds.find(ascii_lower(word));
  if (found == kKinds.end()) return std::nullopt;
  return found->second;
}

std::string unknown_kind(const std::string& word) {
  const std::vector<std::string> kinds = {"vd", "nodes", "endpoints", "clusters", "overrides"};
  return "there is no kind " + word + hint(did_you_mean(word, kinds)) + "; there are " + join(kinds, ", ");
}

int apply(AdminClient& client, const std::vector<std::string>& files, const ApplyFlags& flags) {
  const auto objects = read_objects(files, "nothing applied");
  if (!objects) return kWrongUsage;
  if (flags.strict) {
    const auto findings = findings_in(client, *objects);
    if (!findings) return kFailed;
    if (is_serious(*findings)) {
      std::cerr << lint_view(*findings, "") << "nothing applied: --strict refuses warnings and errors\n";
      return kFailed;
    }
  }
  v1::ApplyRequest request = apply_request(*objects);
  request.set_dry_run(flags.dry_run);
  request.set_force(flags.force);
  const auto reply = client.apply(request);
  if (!reply) return fail(reply.error());
  if (print_refused(*reply, "nothing applied") > 0) return kFailed;
  for (const v1::ApplyResult& result : reply->results()) {
    std::cout << printable(result.key()) << " " << outcome_text(result) << (flags.dry_run ? " (dry run)" : "") << "\n";
  }
  // the objects are applied already: neither findings nor a failing lint may change the exit code
  const auto findings = findings_in(client, *objects);
  if (findings && !findings->findings().empty()) std::cerr << lint_view(*findings, "");
  return kOk;
}

int diff(AdminClient& client, const std::vector<std::string>& files) {
  const auto objects = read_objects(files, "nothing compared");
  if (!objects) return kWrongUsage;
  v1::ApplyRequest request = apply_request(*objects);
  request.set_dry_run(true);
  request.set_force(true);
  const auto reply = client.apply(request);
  if (!reply) return std::max<int>(fail(reply.error()), kNotCompared);
  if (print_refused(*reply, "nothing compared") > 0) return kNotCompared;
  int exit = kOk;
  for (int i = 0; i < reply->results_size(); ++i) {
    const v1::ApplyResult& result = reply->results(i);
    std::cout << printable(result.key()) << " " << outcome_text(result) << "\n";
    if (result.outcome() == v1::ApplyResult::UNCHANGED) continue;
    std::cout << line_diff(result.has_before() ? written_text(result.before()) : "", written_text(request.objects(i)));
    exit = kFailed;
  }
  return exit;
}

int erase(AdminClient& client, const std::vector<std::string>& names, const std::vector<std::string>& files,
          bool ignore_not_found) {
  const auto keys = keys_of(names, files);
  if (!keys) return keys.error().message().empty() ? int{kWrongUsage} : fail(keys.error());
  v1::DeleteRequest request;
  request.set_ignore_missing(ignore_not_found);
  for (const std::string& key : *keys) request.add_keys(key);
  const auto reply = client.erase(request);
  if (!reply) return fail(reply.error());
  for (const std::string& key : reply->missing()) std::cerr << printable(key) << " not found\n";
  for (const std::string& key : reply->deleted()) std::cout << printable(key) << " deleted\n";
  if (reply->missing().empty() || ignore_not_found) return kOk;
  std::cerr << "nothing deleted\n";
  return kFailed;
}

int forget(AdminClient& client, const std::string& word) {
  const auto target = model::parse_target(word);
  if (!target || target->kind != model::TargetKind::Node) {
    return fail(Error(Code::InvalidArgument, "a node is named: forget node=CLUSTER/NAME (got " + word + ")"));
  }
  v1::DeleteRequest request;
  request.add_keys("Node/" + target->name);
  const auto reply = client.erase(request);
  if (!reply) return fail(reply.error());
  if (!reply->missing().empty()) {
    std::cerr << "node " << target->name << " not found\n";
    return kFailed;
  }
  for (const std::string& key : reply->deleted()) std::cout << printable(key) << " forgotten, with its endpoints\n";
  return kOk;
}

int explain(AdminClient& client, const v1::ExplainRequest& request, Output output) {
  const auto reply = client.explain(request);
  if (!reply) return fail(reply.error());
  std::cout << (is_for_people(output) ? explain_view(*reply) : document(*reply, output));
  return kOk;
}

int status(AdminClient& client, Output output, bool check) {
  const auto reply = client.status();
  if (!reply) return check ? std::max<int>(fail(reply.error()), kWrongUsage) : fail(reply.error());
  std::cout << (is_for_people(output) ? status_view(*reply) : document(*reply, output));
  if (!check) return kOk;
  const std::string problem = status_problem(*reply);
  if (!problem.empty()) std::cerr << problem << "\n";
  return !reply->ready() ? int{kWrongUsage} : problem.empty() ? int{kOk} : int{kFailed};
}

int approve_shrink(AdminClient& client) {
  const auto reply = client.approve_shrink();
  if (!reply) return fail(reply.error());
  std::cout << "approved: " << reply->approved() << "; takes effect in a few seconds\n";
  return kOk;
}

int capture(AdminClient& client, v1::CaptureRequest request, Duration length, Output output) {
  request.set_id(std::to_string(random_seed()));
  v1::CaptureReply all;
  std::uint64_t shown = 0;
  bool titled = false;
  for (bool ended = false; !ended;) {
    ended = request.stop();
    const auto reply = client.capture(request);
    if (!reply) return fail(reply.error());
    if (is_for_people(output)) {
      if (!std::exchange(titled, true)) std::cout << capture_title();
      std::cout << capture_rows(*reply) << std::flush;
      if (!std::cout) return kFailed;  // nobody reads it any more
    }
    shown += static_cast<std::uint64_t>(reply->queries_size());
    const std::uint64_t missed = all.missed() + reply->missed();
    if (!is_for_people(output)) all.MergeFrom(*reply);
    all.set_missed(missed);
    request.set_stop(convert::from_wire(reply->elapsed()) >= length);
  }
  if (!is_for_people(output)) {
    std::cout << document(all, output);
  } else {
    std::cout << shown << (shown == 1 ? " query" : " queries");
    if (all.missed() > 0) std::cout << ", and at least " << all.missed() << " more that are not shown";
    std::cout << "\n";
  }
  return kOk;
}

}  // namespace meshdns::ctl
