// The pods of one node, from the events of a watch to endpoints with health:
//   list ; listed                     an initial list begins, and is complete
//   added NAME uid=U OPTIONS ; modified NAME OPTIONS ; deleted NAME [OPTIONS]
//       what the API server sends. A pod keeps its options by its name; "grace=" takes one away
//       ns=shop started=0 ip=10.0.0.1,fd00::1 ports=http:8080,53/UDP sidecar=PORTS phase=Running hostnetwork=true
//       ready=none|True|False message=a_text reason=R since=SECONDS id=containerd://aa restarts=0 id2= restarts2=
//       grace=30 label.NAME=VALUE note.weight=5 (an annotation of meshdns.io) broken=MEMBER
//   evidence UID refused|ended|listener [run=ID] [detail...] ; result UID success|timeout|... [detail...]
//   node region= zone= pods=10.0.0.0/24 internal=10.1.0.1     what the Node says of the place and of clients
//   advance 5s
// Output: + an endpoint that came, ~ one that changed, - one that went; ! a problem, with "no more" when it ended.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "agent/discovery/kubernetes_node.h"
#include "agent/discovery/pod_endpoints.h"
#include "agent/discovery/pod_store.h"
#include "agent/health/readiness.h"
#include "common/base/text.h"
#include "common/time/duration_text.h"
#include "tests/scenario/pods/pod_objects.h"

namespace meshdns::test {
namespace {

using discovery::PodEndpoint;
using health::Evidence;
using health::Outcome;
using kubernetes::EventType;

constexpr TimePoint kStart{1h};

const std::map<std::string, Evidence> kEvidence = {
    {"refused", Evidence::Refused}, {"ended", Evidence::Ended}, {"listener", Evidence::ListenerGone}};
const std::map<std::string, Outcome> kOutcomes = {{"success", Outcome::Success},
                                                  {"failure", Outcome::Failure},
                                                  {"timeout", Outcome::Timeout},
                                                  {"refused", Outcome::Refused},
                                                  {"unknown", Outcome::Unknown}};

std::string rest_of(const Command& command, std::size_t from) {
  return join({command.words.begin() + static_cast<std::ptrdiff_t>(from), command.words.end()}, " ");
}

std::string ports_text(const PodEndpoint& endpoint) {
  std::vector<std::string> out;
  for (const auto& port : endpoint.found.endpoint.ports) {
    const std::string name = port.name.empty() ? "" : port.name + ":";
    out.push_back(name + std::to_string(port.number) + (port.protocol == "TCP" ? "" : "/" + port.protocol));
  }
  return out.empty() ? "no port" : join(out, ",");
}

std::string check_text(const discovery::CheckSpec& check) {
  const auto* http = std::get_if<probes::HttpCheck>(&check.what);
  return fmt::format(", check {}:{}{} every {} within {}, rise {}, fall {}", http ? "http" : "tcp",
                     probes::target_of(check.what)->port, http ? http->path : "",
                     duration_text(check.settings.interval), duration_text(check.settings.timeout), check.settings.rise,
                     check.settings.fall);
}

std::string endpoint_text(const PodEndpoint& endpoint) {
  const auto& record = endpoint.found.endpoint;
  std::vector<std::string> addresses;
  for (const IpAddress& address : record.addresses) addresses.push_back(address.text());
  std::string out =
      fmt::format("{}  {}/{}  {}  {}", endpoint.found.key, record.namespace_,
                  record.service.empty() ? "-" : record.service, join(addresses, ","), ports_text(endpoint));
  if (endpoint.host_network) out += ", host network";
  if (record.weight != 1) out += fmt::format(", weight {}", record.weight);
  for (const auto& check : endpoint.found.checks) out += check_text(check);
  for (const auto& [name, value] : record.labels) out += " " + name + "=" + value;
  return out;
}

std::string health_text(const model::Health& health) {
  std::string out =
      fmt::format("{} since {}", model::health_state_name(health.state), duration_text(health.since - kStart));
  if (health.in_doubt) out += ", in doubt";
  if (health.needed > 0) out += fmt::format(", {} of {}", health.streak, health.needed);
  if (health.drain_until) out += ", until " + duration_text(*health.drain_until - kStart);
  return health.detail.empty() ? out : out + ", " + health.detail;
}

class PodsSubject : public Subject {
 public:
  std::string run(const Command& command) override {
    using Verb = std::string (PodsSubject::*)(const Command&);
    static const std::map<std::string, Verb> kVerbs = {
        {"list", &PodsSubject::list},         {"listed", &PodsSubject::listed},   {"added", &PodsSubject::added},
        {"modified", &PodsSubject::modified}, {"deleted", &PodsSubject::deleted}, {"evidence", &PodsSubject::evidence},
        {"result", &PodsSubject::result},     {"node", &PodsSubject::node},       {"advance", &PodsSubject::advance}};
    const auto verb = kVerbs.find(command.words.at(0));
    if (verb == kVerbs.end()) throw std::runtime_error("unknown verb");
    return (this->*verb->second)(command);
  }

 private:
  std::string list(const Command&) {
    store_.begin_list();
    return changes();
  }

  std::string listed(const Command&) {
    store_.listed();
    return changes();
  }

  std::string added(const Command& command) {
    options_[command.words.at(1)] = command.options;
    return apply(EventType::Added, command);
  }
  std::string modified(const Command& command) { return apply(EventType::Modified, command); }
  std::string deleted(const Command& command) { return apply(EventType::Deleted, command); }

  std::string apply(EventType type, const Command& command) {
    const std::string& name = command.words.at(1);
    auto& options = options_[name];
    for (const auto& [key, value] : command.options) {
      if (value.empty() && key == "grace") {
        options.erase(key);
      } else {
        options[key] = value;
      }
    }
    const bool changed = store_.apply(type, pod_object(name, options));
    options.erase("broken");
    return changed ? changes() : "nothing changed\n";
  }

  std::string evidence(const Command& command) {
    auto& readiness = readiness_.at("pod/" + command.words.at(1));
    const bool changed =
        readiness.on_evidence(kEvidence.at(command.words.at(2)), rest_of(command, 3), now_, command.option("run"));
    return changed ? changes() : "nothing changed\n";
  }

  std::string result(const Command& command) {
    auto& readiness = readiness_.at("pod/" + command.words.at(1));
    const health::ProbeResult result{.outcome = kOutcomes.at(command.words.at(2)), .detail = rest_of(command, 3)};
    return readiness.on_result(result, now_) ? changes() : "nothing changed\n";
  }

  std::string advance(const Command& command) {
    now_ += parse_duration(command.words.at(1)).value();
    return {};
  }

  std::string node(const Command& command) {
    const auto node = discovery::read_node(node_object(command));
    if (!node) return "! " + node.error().message() + "\n";
    model::Locality own;
    own.region = command.option("own_region");
    const auto place = discovery::with_place_of(own, *node);
    const auto clients = discovery::client_prefixes(*node, store_.pods());
    std::vector<std::string> prefixes;
    for (const Prefix& prefix : clients.prefixes) prefixes.push_back(prefix.text());
    std::string out = fmt::format("region {} zone {}, clients {}", place.region.empty() ? "-" : place.region,
                                  place.zone.empty() ? "-" : place.zone, join(prefixes, " "));
    if (clients.left_out > 0) out += fmt::format(", {} left out", clients.left_out);
    return out + "\n";
  }

  /// Hands the reports to the readiness of each endpoint.
  std::map<std::string, std::string> lines(const discovery::PodListing& listing) {
    std::map<std::string, std::string> out;
    std::map<std::string, health::Readiness> before;
    before.swap(readiness_);
    for (const PodEndpoint& endpoint : listing.endpoints) {
      auto known = before.extract(endpoint.found.key);
      auto& readiness = known ? readiness_.insert(std::move(known)).position->second : readiness_[endpoint.found.key];
      readiness.on_report(endpoint.report, now_);
      out[endpoint.found.key] = endpoint_text(endpoint) + "  " + health_text(readiness.health());
    }
    return out;
  }

  std::string changes() {
    const auto listing = discovery::endpoints_of(store_.pods());
    auto now = lines(listing);
    std::string out;
    for (const auto& [key, line] : now) {
      const auto before = lines_.find(key);
      if (before == lines_.end()) out += "+ " + line + "\n";
      if (before != lines_.end() && before->second != line) out += "~ " + line + "\n";
    }
    for (const auto& [key, line] : lines_) {
      if (!now.contains(key)) out += "- " + key + "\n";
    }
    lines_ = std::move(now);
    return out + problem_changes(listing);
  }

  std::string problem_changes(const discovery::PodListing& listing) {
    std::set<std::string> now(listing.problems.begin(), listing.problems.end());
    for (const auto& [uid, problem] : store_.problems()) now.insert(problem);
    if (listing.without_service > 0) now.insert(counted(listing.without_service, "pod") + " without a service");
    if (!store_.is_listed()) now.insert("not listed yet");
    std::string out;
    for (const std::string& problem : now) {
      if (!problems_.contains(problem)) out += "! " + problem + "\n";
    }
    for (const std::string& problem : problems_) {
      if (!now.contains(problem)) out += "! no more: " + problem + "\n";
    }
    problems_ = std::move(now);
    return out;
  }

  discovery::PodStore store_;
  std::map<std::string, std::map<std::string, std::string>> options_;  // of each pod, by its name
  std::map<std::string, health::Readiness> readiness_;                 // by key
  std::map<std::string, std::string> lines_;                           // as shown last, by key
  std::set<std::string> problems_;
  TimePoint now_ = kStart;
};

TEST(Scenario, Pods) {
  run_scenarios("pods", [] { return std::make_unique<PodsSubject>(); });
}

}  // namespace
}  // namespace meshdns::test
