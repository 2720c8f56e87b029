#include "dnsd/app/kubernetes_watch.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/printable.h"
#include "common/base/random_seed.h"
#include "common/kubernetes/api_group.h"
#include "common/kubernetes/refusal.h"
#include "common/kubernetes/status_codes.h"
#include "common/log/log.h"

namespace meshdns::dnsd::app {
namespace {

constexpr const char* kExportsGroup = "/apis/multicluster.x-k8s.io";
constexpr std::size_t kMostProblems = 5;  // of objects, in a status; the log has all

using Kind = kubernetes::ServiceDirectory::Kind;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::Services: return "services";
    case Kind::Slices: return "endpointslices";
    case Kind::Nodes: return "nodes";
    case Kind::Namespaces: return "namespaces";
    case Kind::Exports: return "serviceexports";
  }
  return "objects";
}

}  // namespace

KubernetesWatch::KubernetesWatch(const Environment& environment, KubernetesServer cluster, Limits limits,
                                 Changed changed)
    : loop_(environment.loop),
      clock_(environment.clock),
      cluster_(std::move(cluster)),
      limits_(limits),
      changed_(std::move(changed)),
      client_(loop_, clock_, cluster_.server, {}),
      directory_(cluster_.cluster),
      export_statuses_({loop_, clock_, directory_, environment.catalog, client_, cluster_.cluster}, {}) {}

KubernetesWatch::~KubernetesWatch() {
  if (tell_timer_) loop_.cancel(*tell_timer_);
  if (exports_timer_) loop_.cancel(*exports_timer_);
}

void KubernetesWatch::start() {
  follow(Kind::Services, "/api/v1/services", false);
  follow(Kind::Slices, "/apis/discovery.k8s.io/v1/endpointslices", false);
  follow(Kind::Nodes, "/api/v1/nodes", true);
  follow(Kind::Namespaces, "/api/v1/namespaces", true);
  ask_for_exports();
}

void KubernetesWatch::follow(Kind kind, const std::string& path, bool metadata_only) {
  kubernetes::Informer::Options options;
  options.collection = {.path = path, .metadata_only = metadata_only};
  options.seed = random_seed();
  auto& informer = informers_[kind];
  informer =
      std::make_unique<kubernetes::Informer>(client_, clock_, loop_, std::move(options),
                                             [this, kind](const kubernetes::Notice& notice) { take(kind, notice); });
  informer->start();
}

void KubernetesWatch::take(Kind kind, const kubernetes::Notice& notice) {
  directory_.take(kind, notice);
  tell_exports(kind, notice);
  tell_soon();
}

void KubernetesWatch::tell_exports(Kind kind, const kubernetes::Notice& notice) {
  if (kind == Kind::Exports) return export_statuses_.take(notice);
  if (kind != Kind::Services) return;
  if (std::holds_alternative<kubernetes::Listed>(notice)) export_statuses_.services_listed();
  const auto* event = std::get_if<kubernetes::Event>(&notice);
  if (event == nullptr) return;
  const auto service = kubernetes::read_service(event->object);
  if (service) export_statuses_.service_changed(service->name);
}

void KubernetesWatch::tell_soon() {
  const bool has_news = directory_.dirty() || directory_.problem_changes() != problem_changes_;
  if (tell_timer_ || !has_news) return;
  const Duration left = told_ ? *told_ + limits_.pace - clock_.now() : Duration::zero();
  tell_timer_ = loop_.after(std::max<Duration>(left, Duration::zero()), [this] {
    tell_timer_.reset();
    tell();
  });
}

void KubernetesWatch::tell() {
  told_ = clock_.now();
  auto changes = directory_.take_changes(*told_);
  if (changes.first) {
    log::info("kubernetes services listed",
              {{"cluster", cluster()}, {"services", directory_.services()}, {"endpoints", directory_.members()}});
  }
  if (problem_changes_ != directory_.problem_changes()) log_problems();
  problem_changes_ = directory_.problem_changes();
  if (!changes.empty()) changed_(std::move(changes));
}

void KubernetesWatch::log_problems() {
  const auto problems = directory_.problems();
  std::set<std::string> now(problems.begin(), problems.end());
  for (const std::string& problem : now) {
    if (!logged_.contains(problem)) {
      log::warn("kubernetes object cannot be read", {{"cluster", cluster()}, {"problem", problem}});
    }
  }
  for (const std::string& problem : logged_) {
    if (!now.contains(problem)) {
      log::info("kubernetes object can be read again, or is gone", {{"cluster", cluster()}, {"problem", problem}});
    }
  }
  logged_ = std::move(now);
}

// ---- is there an API of ServiceExports? ----

void KubernetesWatch::ask_for_exports() {
  kubernetes::Request request;
  request.target = kExportsGroup;
  exports_call_ =
      client_.send(std::move(request), [this](const Result<kubernetes::Answer>& answer) { take_versions(answer); });
}

void KubernetesWatch::take_versions(const Result<kubernetes::Answer>& answer) {
  if (answer && answer->status == kubernetes::kUnauthorized) client_.expire_token();
  std::string problem;
  std::vector<std::string> versions;
  if (!answer) {
    problem = answer.error().message();
  } else if (answer->status == kubernetes::kOk) {
    versions = kubernetes::versions_in(answer->body);
  } else if (answer->status != kubernetes::kNotFound) {
    problem = kubernetes::parse_refusal(answer->status, answer->retry_after, answer->body).text();
  }
  exports_problem_ = problem.empty() ? "" : std::string("GET ") + kExportsGroup + ": " + problem;
  if (!problem.empty()) return ask_again(limits_.retry);
  for (const char* wanted : {"v1beta1", "v1alpha1"}) {
    if (std::ranges::find(versions, wanted) == versions.end()) continue;
    log::info("kubernetes serviceexports are followed", {{"cluster", cluster()}, {"version", wanted}});
    const std::string group = std::string(kExportsGroup) + "/" + wanted;
    export_statuses_.start(group);
    return follow(Kind::Exports, group + "/serviceexports", false);  // with the status
  }
  directory_.without_exports();
  tell_soon();
  ask_again(limits_.discovery);
}

void KubernetesWatch::ask_again(Duration delay) {
  exports_timer_ = loop_.after(delay, [this] {
    exports_timer_.reset();
    ask_for_exports();
  });
}

// ---- status ----

void KubernetesWatch::write(v1::KubernetesInfo& out) const {
  out.set_cluster(cluster());
  out.set_server(client_.server());
  out.set_listed(directory_.complete());
  out.set_services(static_cast<std::uint32_t>(directory_.services()));
  out.set_endpoints(static_cast<std::uint32_t>(directory_.members()));
  for (const auto& [kind, informer] : informers_) {
    const auto status = informer->status();
    if (!status.problem.text.empty()) out.add_problems(std::string(name_of(kind)) + ": " + status.problem.text);
  }
  if (!exports_problem_.empty()) out.add_problems(exports_problem_);
  if (!export_statuses_.problem().empty()) {
    out.add_problems("serviceexports/status: " + printable(export_statuses_.problem()));
  }
  std::size_t told = 0;
  for (const std::string& problem : logged_) {
    if (told++ < kMostProblems) out.add_problems(problem);
  }
  if (logged_.size() > kMostProblems) {
    out.add_problems("and " + std::to_string(logged_.size() - kMostProblems) + " more objects");
  }
  for (const std::string& note : directory_.notes()) out.add_notes(note);
}

void KubernetesWatch::collect(std::vector<metrics::Sample>& out) const {
  export_statuses_.collect(out);
  metrics::gauge(out, "meshdns_kubernetes_listed", "1 once all kinds of objects of the cluster have been listed",
                 {{"cluster", cluster()}}, directory_.complete() ? 1.0 : 0.0);
  metrics::gauge(out, "meshdns_kubernetes_services", "Services of the cluster", {{"cluster", cluster()}},
                 static_cast<double>(directory_.services()));
  metrics::gauge(out, "meshdns_kubernetes_endpoints", "pods and other addresses in EndpointSlices",
                 {{"cluster", cluster()}}, static_cast<double>(directory_.members()));
  metrics::gauge(out, "meshdns_kubernetes_unread_objects", "objects of which the last version cannot be read",
                 {{"cluster", cluster()}}, static_cast<double>(logged_.size()));
  for (const auto& [kind, informer] : informers_) {
    const auto status = informer->status();
    const metrics::Labels labels = {{"cluster", cluster()}, {"objects", name_of(kind)}};
    metrics::gauge(out, "meshdns_kubernetes_watch_failing", "1 while the API server does not report changes", labels,
                   status.problem.text.empty() ? 0.0 : 1.0);
    metrics::count(out, "meshdns_kubernetes_events_total", "objects that the API server has reported", labels,
                   status.events);
  }
}

}  // namespace meshdns::dnsd::app
