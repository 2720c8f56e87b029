#include "tests/scenario/slices/cluster_bed.h"

#include <stdexcept>

#include "common/model/sources.h"

namespace meshdns::test {
namespace {

using federation::Sample;

const std::map<std::string, ClusterBed::Kind> kKinds = {{"service", ClusterBed::Kind::Services},
                                                        {"slice", ClusterBed::Kind::Slices},
                                                        {"node", ClusterBed::Kind::Nodes},
                                                        {"namespace", ClusterBed::Kind::Namespaces},
                                                        {"export", ClusterBed::Kind::Exports}};

}  // namespace

ClusterBed::Kind ClusterBed::kind_named(const std::string& word) {
  const auto found = kKinds.find(word);
  if (found == kKinds.end()) throw std::runtime_error("unknown kind");
  return found->second;
}

void ClusterBed::list_everything() {
  for (const auto& [word, kind] : kKinds) list(kind);
  for (const auto& [word, kind] : kKinds) listed(kind);
}

void ClusterBed::put(const std::string& kind, const std::string& name, const ObjectOptions& options) {
  take(kind_named(kind), kubernetes::Event{kubernetes::EventType::Modified, kubernetes_object(kind, name, options)});
}

void ClusterBed::remove(const std::string& kind, const std::string& name, const ObjectOptions& options) {
  take(kind_named(kind), kubernetes::Event{kubernetes::EventType::Deleted, kubernetes_object(kind, name, options)});
}

void ClusterBed::without_exports() {
  directory.without_exports();
  apply();
}

void ClusterBed::take(Kind kind, const kubernetes::Notice& notice) {
  directory.take(kind, notice);
  apply();
}

void ClusterBed::apply() {
  if (directory.dirty()) {
    kubernetes::apply_changes("eu-1", directory.take_changes(clock.now()), agents, clock.now());
  }
}

std::vector<Sample> ClusterBed::samples(const Pods& pods) {
  std::vector<Sample> out;
  for (const auto& [uid, pod] : pods) {
    out.push_back({.key = "pod/" + uid,
                   .service = "",
                   .state = pod.state,
                   .source = std::string(model::kPodSource),
                   .uid = uid,
                   .address = pod.address});
  }
  return out;
}

void ClusterBed::connect(const std::string& node, const model::Locality& place, bool names_all_pods) {
  Agent& agent = agents_of_nodes_[node];
  agent.stream = std::make_unique<federation::FakeAgent>(agents);
  agent.stream->hello({.node = node, .place = place, .names_all_pods = names_all_pods},
                      federation::digest_of(samples(agent.pods)));
}

void ClusterBed::send_full(Agent& agent) {
  v1::AgentMessage message = agent.stream->message();
  message.mutable_full()->set_last(true);
  for (const Sample& sample : samples(agent.pods)) message.mutable_full()->add_endpoints(federation::encoded(sample));
  v1::Source& source = *message.mutable_full()->add_sources();
  source.set_name(std::string(model::kPodSource));
  source.set_listed(agent.listed);
  agent.stream->say(message);
}

void ClusterBed::answer(Agent& agent) {
  if (agent.stream->heard().has_send_full()) send_full(agent);
}

void ClusterBed::report(const std::string& node, Pods pods, bool listed) {
  Agent& agent = agents_of_nodes_.at(node);
  agent.pods = std::move(pods);
  agent.listed = listed;
  send_full(agent);
}

void ClusterBed::change(const std::string& node, const Pods& upserts, const std::vector<std::string>& removals) {
  Agent& agent = agents_of_nodes_.at(node);
  v1::AgentMessage message = agent.stream->message();
  for (const Sample& sample : samples(upserts)) message.mutable_delta()->add_upserts(federation::encoded(sample));
  for (const std::string& uid : removals) message.mutable_delta()->add_removals()->set_key("pod/" + uid);
  for (const auto& [uid, pod] : upserts) agent.pods[uid] = pod;
  for (const std::string& uid : removals) agent.pods.erase(uid);
  agent.stream->say(message);
  answer(agent);
}

void ClusterBed::leave(const std::string& node, bool withdraw) {
  agents_of_nodes_.at(node).stream->leave(withdraw);
  cut(node);
}

void ClusterBed::cut(const std::string& node) {
  auto agent = agents_of_nodes_.extract(node);
  agent.mapped().stream->end();
  ended_.push_back(std::move(agent.mapped().stream));
}

void ClusterBed::advance(Duration by) {
  for (Duration done{}; done < by; done += 500ms) {
    for (auto& [node, agent] : agents_of_nodes_) {
      agent.stream->heartbeat(federation::digest_of(samples(agent.pods)));
      answer(agent);
    }
    clock.advance(500ms);
  }
}

void ClusterBed::sweep_forever() {
  clock.after(federation::Leases::sweep_interval(), [this] {
    agents.sweep();
    sweep_forever();
  });
}

}  // namespace meshdns::test
