#include "dnsd/app/kubernetes_objects.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/printable.h"
#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/log/log.h"
#include "common/metrics/samples.h"
#include "common/model/kubernetes_names.h"
#include "dnsd/answers/settings.h"
#include "dnsd/app/object_events.h"

namespace meshdns::dnsd::app {
namespace {

using persistence::Objects;

/// Returns the rule that a role needs to write the status of the object at a path.
std::string rule_for(std::string_view path) {
  for (const resources::Kind& kind : resources::kKinds) {
    if (path.find("/" + std::string(kind.plural) + "/") == std::string_view::npos) continue;
    return "; the role needs a rule apiGroups: [meshdns.io], resources: [" + std::string(kind.plural) +
           "/status], verbs: [patch]";
  }
  return "";
}

/// What became of a checked object.
struct Outcome {
  std::string problem;  // empty = it is taken
  resources::Follower::Why why = resources::Follower::Why::Invalid;
};

Outcome outcome_of(const Result<void>& checked) {
  using Why = resources::Follower::Why;
  if (checked) return {};
  const bool is_host = checked.error().code() == Code::PermissionDenied;
  return {checked.error().message(), is_host ? Why::HostNotAllowed : Why::Invalid};
}

}  // namespace

KubernetesObjects::KubernetesObjects(Environment environment, const Limits& limits)
    : env_(std::move(environment)),
      limits_(limits),
      queue_(limits.status),
      client_(env_.loop, env_.mesh.clock, env_.server, {}),
      writer_(env_.loop, env_.mesh.clock, client_, queue_, rule_for) {
  rounds_.emplace(StatusRounds::Environment{env_.loop, env_.mesh, follower_, queue_, env_.cluster, env_.list,
                                            [this] { writer_.write(); }},
                  limits.rounds);
  for (const resources::Kind& kind : resources::kKinds) {
    kubernetes::Informer::Options options;
    options.collection.path = kind.path();
    options.seed = random_seed();
    informers_.emplace_back(client_, env_.mesh.clock, env_.loop, std::move(options),
                            [this, &kind](const kubernetes::Notice& notice) { take(kind, notice); });
  }
}

KubernetesObjects::~KubernetesObjects() {
  if (apply_timer_) env_.loop.cancel(*apply_timer_);
}

void KubernetesObjects::start() {
  for (kubernetes::Informer& informer : informers_) informer.start();
  rounds_->start();
}

void KubernetesObjects::take(const resources::Kind& kind, const kubernetes::Notice& notice) {
  if (std::holds_alternative<kubernetes::Begin>(notice)) {
    follower_.begin(kind);
  } else if (const auto* event = std::get_if<kubernetes::Event>(&notice)) {
    take_event(kind, *event);
  } else {
    take_listed(kind);
  }
}

void KubernetesObjects::take_event(const resources::Kind& kind, const kubernetes::Event& event) {
  const std::string key = follower_.take(kind, event);
  if (key.empty()) return;
  const auto found = follower_.entries().find(key);
  if (found == follower_.entries().end()) {
    queue_.forget(key);
  } else {
    queue_.has(found->second.resource, env_.mesh.clock.now());
    rounds_->look_at(key);
    writer_.write();
  }
  tell_of_refusals();
  apply_soon();
}

void KubernetesObjects::take_listed(const resources::Kind& kind) {
  std::vector<std::string> known;
  std::size_t others = 0;
  for (const auto& [key, object] : env_.mesh.objects.all()) {
    if (object.metadata().manager() == model::kKubernetesManager) {
      known.push_back(key);
    } else if (!follower_.entries().contains(key)) {
      ++others;
    }
  }
  follower_.listed(kind, known);
  apply_soon();
  if (complete_ || !follower_.all_listed()) return;
  complete_ = true;
  log::info("kubernetes objects listed", {{"objects", follower_.entries().size()}});
  if (others > 0) {
    log::warn(
        "objects outside the Kubernetes API: they stay until they are applied with kubectl or deleted with meshdnsctl",
        {{"objects", others}});
  }
}

void KubernetesObjects::apply_soon() {
  if (apply_timer_ || !follower_.has_changes()) return;
  apply_timer_ = env_.loop.after(Duration::zero(), [this] {
    apply_timer_.reset();
    apply();
    apply_soon();
  });
}

void KubernetesObjects::apply() {
  const auto changes = follower_.take_changes(limits_.put);
  const std::int64_t seconds = env_.mesh.clock.unix_seconds();
  const auto& live = env_.mesh.objects.all();
  Objects::Change change;
  std::map<std::string, Outcome> outcomes;  // by key
  for (const v1::Object& object : changes.put) {
    outcomes[convert::object_key(object)] = outcome_of(env_.mesh.objects.check_adopted(object, seconds, change));
  }
  for (const std::string& key : changes.erase) {
    const auto found = live.find(key);
    const bool ours = found != live.end() && found->second.metadata().manager() == model::kKubernetesManager;
    if (ours) change.erase.push_back(key);
  }
  std::set<std::string> before;
  for (const v1::Object& object : change.put) {
    if (live.contains(convert::object_key(object))) before.insert(convert::object_key(object));
  }
  for (const auto& [key, problem] : env_.persistence.adopt(change)) outcomes[key] = {problem};
  for (const auto& [key, outcome] : outcomes) {
    follower_.settled(key, outcome.problem, outcome.why);
    rounds_->look_at(key);
  }
  tell_of_refusals();
  if (change.empty()) return;
  env_.changed();
  note(change, before);
}

// ---- hosts of namespaces ----

void KubernetesObjects::set_hosts(kubernetes::NamespaceHosts hosts) {
  hosts_ = std::move(hosts);
  judge_hosts();
}

void KubernetesObjects::judge_hosts() {
  if (!hosts_) return;
  std::vector<std::string> zones;
  for (const answers::ZoneSettings& zone : env_.mesh.publisher.settings().zones) {
    if (!answers::is_reverse_zone(zone.name)) zones.push_back(zone.name);
  }
  catalog::NamespaceRights further;
  std::set<std::string> problems;
  for (const auto& [name, annotation] : *hosts_) {
    std::vector<std::string> found;
    further[name] = catalog::parse_hosts(annotation, found);
    for (const std::string& problem : found) problems.insert(name + ": " + printable(problem));
  }
  tell_of_entries(std::move(problems));
  catalog::HostRights rights(std::move(zones), std::move(further));
  if (env_.mesh.catalog.host_rights() == rights) return;
  env_.mesh.catalog.set_host_rights(std::move(rights));
  withdraw_forbidden();
  follower_.check_refused();
  apply_soon();
}

void KubernetesObjects::withdraw_forbidden() {
  Objects::Change change;
  for (const catalog::Refusal& refusal : env_.mesh.catalog.forbidden()) {
    const std::string key = "VirtualDestination/" + refusal.key;
    change.erase.push_back(key);
    follower_.settled(key, refusal_text(refusal), resources::Follower::Why::HostNotAllowed);
    rounds_->look_at(key);
  }
  if (change.empty()) return;
  log::warn("objects withdrawn: their namespaces may not have their hosts",
            {{"objects", change.erase.size()}, {"first", change.erase.front()}});
  env_.persistence.adopt(change);
  tell_of_refusals();
  env_.changed();
  note(change, {});
}

void KubernetesObjects::tell_of_entries(std::set<std::string> problems) {
  for (const std::string& problem : problems) {
    if (!entry_problems_.contains(problem)) {
      log::warn("kubernetes annotation has an entry that is no host", {{"namespace", problem}});
    }
  }
  if (problems.empty() && !entry_problems_.empty()) log::info("kubernetes annotations have only hosts again");
  entry_problems_ = std::move(problems);
}

void KubernetesObjects::tell_of_refusals() {
  if (const std::size_t refused = follower_.refusals(); refused == 0) {
    if (refusal_reminder_.ends()) log::info("kubernetes objects are all taken");
  } else if (refusal_reminder_.due(env_.mesh.clock.now())) {
    log::warn("kubernetes objects refused", {{"objects", refused}});
  }
}

void KubernetesObjects::note(const Objects::Change& change, const std::set<std::string>& before) {
  v1::ApplyRequest request;
  v1::ApplyReply reply;
  for (const v1::Object& object : change.put) {
    const std::string key = convert::object_key(object);
    *request.add_objects() = object;
    v1::ApplyResult& result = *reply.add_results();
    result.set_key(key);
    result.set_outcome(before.contains(key) ? v1::ApplyResult::CONFIGURED : v1::ApplyResult::CREATED);
  }
  reply.set_applied(true);
  note_changed(env_.events, request, reply);
  v1::DeleteReply deleted;
  for (const std::string& key : change.erase) deleted.add_deleted(key);
  note_deleted(env_.events, deleted);
}

std::string KubernetesObjects::problem() const {
  std::string out;
  const auto add = [&out](const std::string& text) {
    if (!text.empty()) out += (out.empty() ? "" : "; ") + text;
  };
  for (std::size_t i = 0; i < informers_.size(); ++i) {
    const auto status = informers_[i].status();
    const std::string name(resources::kKinds[i].plural);
    if (!status.problem.text.empty()) {
      add(name + ": " + status.problem.text);
    } else if (!status.listed) {
      add(name + " are not listed yet");
    }
  }
  if (!writer_.problem().empty()) add("status: " + writer_.problem());
  return out;
}

void KubernetesObjects::write(v1::StatusReply& out) const {
  v1::ObjectStoreInfo& info = *out.mutable_object_store();
  info.set_objects(static_cast<std::uint32_t>(follower_.entries().size()));
  info.set_refused(static_cast<std::uint32_t>(follower_.refusals()));
  info.set_listed(follower_.all_listed());
  info.set_problem(problem());
}

void KubernetesObjects::collect(std::vector<metrics::Sample>& out) const {
  metrics::gauge(out, "meshdns_object_store_objects", "operators' objects in the Kubernetes API", {},
                 static_cast<double>(follower_.entries().size()));
  metrics::gauge(out, "meshdns_object_store_refused_objects", "objects that are not in force as they are written", {},
                 static_cast<double>(follower_.refusals()));
  metrics::gauge(out, "meshdns_object_store_listed", "1 once all objects of the Kubernetes API are known", {},
                 follower_.all_listed() ? 1 : 0);
  metrics::gauge(out, "meshdns_object_store_usable", "0 while the Kubernetes API cannot be followed or written", {},
                 problem().empty() ? 1 : 0);
  metrics::gauge(out, "meshdns_object_store_waiting_statuses", "objects whose status is to be written", {},
                 static_cast<double>(queue_.waiting()));
  const char* patches = "meshdns_object_store_status_patches_total";
  metrics::count(out, patches, "statuses sent to the Kubernetes API", {{"result", "written"}}, writer_.written());
  metrics::count(out, patches, "statuses sent to the Kubernetes API", {{"result", "failed"}}, writer_.failed());
  metrics::count(out, "meshdns_object_store_unreadable_objects_total", "objects of the API that could not be read", {},
                 follower_.unreadable());
}

}  // namespace meshdns::dnsd::app
