#include "agent/app/kubernetes_source.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/kubernetes/collection.h"
#include "common/kubernetes/json_text.h"
#include "common/kubernetes/refusal.h"
#include "common/log/log.h"
#include "common/model/limits.h"
#include "common/model/sources.h"

namespace meshdns::agent::app {
namespace {

constexpr Duration kNodeInterval = 10min;
constexpr Duration kNodeRetry = 5s;
constexpr Duration kPrefixInterval = 2s;
constexpr Duration kWatchRetry = 1min;
constexpr unsigned kMostFailedLookups = 4;    // of one publication: each may take tens of milliseconds
constexpr std::size_t kMostToldProblems = 5;  // in the state of the source; the log has all

kubernetes::Informer::Options pods_of(const std::string& node) {
  kubernetes::Informer::Options out;
  out.collection = {.path = "/api/v1/pods", .field_selector = "spec.nodeName=" + node};
  out.seed = random_seed();
  return out;
}

}  // namespace

KubernetesSource::KubernetesSource(process::EventLoop& loop, const Clock& clock, KubernetesSettings settings,
                                   Events events)
    : loop_(loop),
      clock_(clock),
      settings_(std::move(settings)),
      events_(std::move(events)),
      client_(loop, clock, settings_.server, {}),
      informer_(client_, clock, loop, pods_of(settings_.node),
                [this](const kubernetes::Notice& notice) { take(notice); }) {}

KubernetesSource::~KubernetesSource() {
  if (publish_timer_) loop_.cancel(*publish_timer_);
  if (node_timer_) loop_.cancel(*node_timer_);
  if (prefix_timer_) loop_.cancel(*prefix_timer_);
}

void KubernetesSource::start() {
  open_cgroups();
  informer_.start();
  ask_for_node();
}

void KubernetesSource::take(const kubernetes::Notice& notice) {
  if (std::holds_alternative<kubernetes::Begin>(notice)) {
    store_.begin_list();
  } else if (const auto* event = std::get_if<kubernetes::Event>(&notice)) {
    if (store_.apply(event->type, event->object)) changed();
  } else {
    const bool first = !store_.is_listed();
    if (store_.listed()) changed();
    if (first) log::info("kubernetes pods listed", {{"node", settings_.node}, {"pods", store_.pods().size()}});
  }
}

/// Publishes soon: the events that have come together count together.
void KubernetesSource::changed() {
  if (publish_timer_ || !store_.is_listed()) return;
  publish_timer_ = loop_.after(Duration::zero(), [this] {
    publish_timer_.reset();
    publish();
  });
}

void KubernetesSource::publish() {
  listing_ = discovery::endpoints_of(store_.pods());
  published_ = true;
  watch_containers();
  tell_of_problems();
  events_.pods_changed();
  follow_prefixes();
}

void KubernetesSource::follow_prefixes() {
  if (!node_ || prefix_timer_ || discovery::client_prefixes(*node_, store_.pods()) == prefixes_) return;
  prefix_timer_ = loop_.after(kPrefixInterval, [this] {
    prefix_timer_.reset();
    auto prefixes = discovery::client_prefixes(*node_, store_.pods());
    if (prefixes == prefixes_) return;
    prefixes_ = std::move(prefixes);
    events_.node_changed();
  });
}

void KubernetesSource::open_cgroups() {
  auto opened = probes::CgroupEvents::open(loop_, settings_.cgroup_root,
                                           [this](const std::string& container) { container_ended(container); });
  if (!opened) {
    log::warn("container events off: only the kubelet and checks find containers that die",
              {{"reason", opened.error()}});
    return;
  }
  cgroups_ = std::move(*opened);
  log::info("container events on", {{"root", settings_.cgroup_root}});
}

/// Watches the running containers of pods that are endpoints, and only those.
void KubernetesSource::watch_containers() {
  if (!cgroups_) return;
  failed_lookups_ = 0;
  std::map<std::string, std::string> now;
  for (const auto& endpoint : listing_.endpoints) {
    const std::string uid = endpoint.found.key.substr(endpoint.found.key.find('/') + 1);
    for (const auto& [name, container] : store_.pods().at(uid).containers) {
      if (container.running && !container.id.empty()) now.emplace(container.id, uid);
    }
  }
  for (const auto& [id, uid] : containers_) {
    if (!now.contains(id)) cgroups_->unwatch(id);
  }
  std::erase_if(unwatched_, [&](const auto& entry) { return !now.contains(entry.first); });
  std::erase_if(now, [&](const auto& entry) { return !watch(entry.second, entry.first); });
  containers_ = std::move(now);
}

bool KubernetesSource::watch(const std::string& pod, const std::string& container) {
  if (containers_.contains(container)) return true;
  // looking for a container that is not there reads the whole tree
  const auto failed = unwatched_.find(container);
  if (failed != unwatched_.end() && clock_.now() - failed->second < kWatchRetry) return false;
  if (failed_lookups_ >= kMostFailedLookups) return false;  // the others at the next change
  if (cgroups_->watch(pod, container)) {
    unwatched_.erase(container);
    return true;
  }
  ++failed_lookups_;
  unwatched_[container] = clock_.now();
  return false;
}

void KubernetesSource::container_ended(const std::string& container) {
  const auto found = containers_.find(container);
  if (found == containers_.end()) return;
  ++ended_;
  events_.ended("pod/" + found->second, container);
}

void KubernetesSource::ask_for_node() {
  kubernetes::Request request;
  request.target = "/api/v1/nodes/" + kubernetes::percent_encoded(settings_.node);
  node_call_ =
      client_.send(std::move(request), [this](const Result<kubernetes::Answer>& answer) { take_node(answer); });
}

void KubernetesSource::take_node(const Result<kubernetes::Answer>& answer) {
  const auto read = [&]() -> Result<discovery::KubernetesNode> {
    if (!answer) return answer.error();
    if (answer->status == 401) client_.expire_token();
    if (answer->status != 200) {
      const auto why = kubernetes::parse_refusal(answer->status, answer->retry_after, answer->body);
      return Error(Code::Unavailable, why.text());
    }
    const auto object = kubernetes::parse_object(answer->body);
    return object ? discovery::read_node(*object) : Result<discovery::KubernetesNode>(object.error());
  };
  auto node = read();
  const std::string problem = node ? "" : "node " + settings_.node + ": " + node.error().message();
  const bool told = std::exchange(node_problem_, problem) == problem;
  if (!node) {
    if (!told) log::warn("kubernetes node cannot be read", {{"problem", problem}});
    return ask_again(kNodeRetry);
  }
  auto prefixes = discovery::client_prefixes(*node, store_.pods());
  const bool same = node_ == *node && prefixes_ == prefixes;
  if (node_ != *node || !told)
    log::info("kubernetes node read", {{"node", node->name}, {"region", node->region}, {"zone", node->zone}});
  node_ = std::move(*node);
  prefixes_ = std::move(prefixes);
  if (!same) events_.node_changed();
  ask_again(kNodeInterval);
}

void KubernetesSource::ask_again(Duration delay) {
  // all agents of a cluster start together after an upgrade: they must not ask together for ever
  const auto tenth = static_cast<std::uint64_t>(delay.count()) / 10;
  const Duration jitter(static_cast<Duration::rep>(random_seed() % (2 * tenth + 1)));
  node_timer_ = loop_.after(delay - Duration(static_cast<Duration::rep>(tenth)) + jitter, [this] {
    node_timer_.reset();
    ask_for_node();
  });
}

void KubernetesSource::tell_of_problems() {
  std::set<std::string> now(listing_.problems.begin(), listing_.problems.end());
  for (const auto& [uid, problem] : store_.problems()) now.insert(problem);
  for (const std::string& problem : now) {
    if (!told_.contains(problem)) log::warn("pod has a mistake", {{"problem", problem}});
  }
  told_ = std::move(now);
}

report::SourceState KubernetesSource::state() const {
  // not before publish(): a complete source without its pods would withdraw them all
  report::SourceState out{std::string(model::kPodSource), published_, ""};
  const auto add = [&out](const std::string& problem) {
    if (!problem.empty()) out.error += (out.error.empty() ? "" : "\n") + problem;
  };
  const auto informer = informer_.status();
  add(informer.problem.text);
  if (informer.problem.text.empty() && !out.listed) add("the pods of node " + settings_.node + " are not listed yet");
  add(node_problem_);
  std::size_t told = 0;
  for (const std::string& problem : told_) {
    if (told++ < kMostToldProblems) add(problem);
  }
  if (told_.size() > kMostToldProblems) add("and " + std::to_string(told_.size() - kMostToldProblems) + " more");
  return out;
}

bool KubernetesSource::state_changed() {
  auto now = state();
  if (now == told_state_) return false;
  told_state_ = std::move(now);
  return true;
}

void KubernetesSource::collect(std::vector<metrics::Sample>& out) const {
  metrics::gauge(out, "meshdns_agent_pods_listed", "1 once the pods of the node have been listed", {},
                 store_.is_listed() ? 1.0 : 0.0);
  metrics::gauge(out, "meshdns_agent_pods_without_service", "endpoints of pods that name no service", {},
                 static_cast<double>(listing_.without_service));
  metrics::gauge(out, "meshdns_agent_watched_containers", "containers whose end the kernel reports", {},
                 static_cast<double>(cgroups_ ? cgroups_->watched() : 0));
  metrics::count(out, "meshdns_agent_ended_containers_total", "containers whose end the kernel has reported", {},
                 ended_);
}

model::Node KubernetesSource::described(model::Node node) const {
  if (!node_) return node;
  node.locality = discovery::with_place_of(std::move(node.locality), *node_);
  for (const Prefix& prefix : prefixes_.prefixes) {
    const bool known = std::ranges::find(node.prefixes, prefix) != node.prefixes.end();
    if (!known && node.prefixes.size() < model::kMostPrefixes) node.prefixes.push_back(prefix);
  }
  return node;
}

}  // namespace meshdns::agent::app
