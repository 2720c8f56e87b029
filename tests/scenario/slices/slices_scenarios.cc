// A cluster of Kubernetes as its federation sees it: from objects of the API server, and reports of agents, to records.
//   list [KIND...] ; listed [KIND...]    an initial list begins, and is complete; all kinds without words
//   service|slice|node|namespace|export NAME OPTIONS     an object as it is now (slice_objects.h)
//   gone KIND NAME [OPTIONS]                             an object that was deleted
//   no exports                                           the cluster has no API of ServiceExports
//   agent NODE connects [region= zone= version=old] ; agent NODE lists u1=10.0.0.1[/serving|failing|draining|pending]
//   ...   all pods of its node agent NODE cannot list ; agent NODE reports u1=... ; agent NODE removes u1 agent NODE
//   leaves (its records go) | says goodbye | is cut ; delete node NODE, by an operator advance 5s connected agents send
//   heartbeats notes                                                what is not followed, and objects that cannot be
//   read
// Output: + a record that came, ~ one that changed, - one that went, by node; ! a problem with an object.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "common/base/text.h"
#include "common/model/lookup.h"
#include "common/time/duration_text.h"
#include "tests/scenario/slices/cluster_bed.h"
#include "tests/support/scenario/scenario.h"

namespace meshdns::test {
namespace {

const std::map<std::string, model::HealthState> kStates = {{"serving", model::HealthState::Serving},
                                                           {"failing", model::HealthState::Failing},
                                                           {"draining", model::HealthState::Draining},
                                                           {"pending", model::HealthState::Pending}};

ClusterBed::Pods pods_of(const Command& command) {
  ClusterBed::Pods out;
  for (const auto& [uid, text] : command.options) {
    const auto parts = split(text, '/');
    out[uid] = {std::string(parts[0]),
                parts.size() > 1 ? kStates.at(std::string(parts[1])) : model::HealthState::Serving};
  }
  return out;
}

std::string ports_text(const model::Ports& ports) {
  std::vector<std::string> out;
  for (const model::Port& port : ports) {
    const std::string name = port.name.empty() ? "" : port.name + ":";
    out.push_back(name + std::to_string(port.number) + (port.protocol == "TCP" ? "" : "/" + port.protocol));
  }
  return join(out, " ");
}

std::string membership_text(const model::Membership& membership) {
  std::string out = membership.service + "(" + ports_text(membership.ports) + ")";
  if (!membership.hostname.empty()) out += " as " + membership.hostname;
  if (membership.exported) out += " exported";
  if (membership.not_ready_too) out += " not-ready-too";
  return out;
}

class SlicesSubject : public Subject {
 public:
  std::string run(const Command& command) override {
    const std::string& verb = command.words.at(0);
    if (verb == "notes") return notes();
    act(verb, command);
    return changes();
  }

 private:
  void act(const std::string& verb, const Command& command) {
    if (verb == "list" || verb == "listed") return list(command, verb == "listed");
    if (verb == "gone") return bed_.remove(command.words.at(1), command.words.at(2), command.options);
    if (verb == "no") return bed_.without_exports();
    if (verb == "agent") return agent(command);
    if (verb == "advance") return bed_.advance(parse_duration(command.words.at(1)).value());
    if (verb == "delete") return static_cast<void>(bed_.agents.remove("eu-1/" + command.words.at(2)));
    bed_.put(verb, command.words.at(1), command.options);
  }

  void list(const Command& command, bool ends) {
    std::vector<std::string> kinds(command.words.begin() + 1, command.words.end());
    if (kinds.empty()) kinds = {"namespace", "node", "service", "slice", "export"};
    for (const std::string& kind : kinds) {
      ends ? bed_.listed(ClusterBed::kind_named(kind)) : bed_.list(ClusterBed::kind_named(kind));
    }
  }

  void agent(const Command& command) {
    const std::string& node = command.words.at(1);
    const std::string& what = command.words.at(2);
    if (what == "connects") {
      model::Locality place;
      place.region = command.option("region");
      place.zone = command.option("zone");
      return bed_.connect(node, place, command.option("version") != "old");
    }
    if (what == "lists") return bed_.report(node, pods_of(command));
    if (what == "cannot") return bed_.report(node, {}, false);
    if (what == "reports") return bed_.change(node, pods_of(command), {});
    if (what == "removes") return bed_.change(node, {}, {command.words.at(3)});
    if (what == "leaves") return bed_.leave(node, true);
    if (what == "says") return bed_.leave(node, false);
    if (what == "is") return bed_.cut(node);
    throw std::runtime_error("unknown verb of an agent");
  }

  std::string notes() const {
    std::string out;
    for (const std::string& note : bed_.directory.notes()) out += note + "\n";
    for (const std::string& problem : bed_.directory.problems()) out += "! " + problem + "\n";
    return out.empty() ? "none\n" : out;
  }

  std::string record_text(const model::Endpoint& record) const {
    std::vector<std::string> addresses, services;
    for (const IpAddress& address : record.addresses) addresses.push_back(address.text());
    for (const model::Membership& each : record.memberships) services.push_back(membership_text(each));
    const model::Node* node = bed_.catalog.latest_node(record.node);
    std::string out =
        fmt::format("{}  {}  {}  {}  {}", record.source == "kubernetes" ? "agent" : "watcher", record.namespace_,
                    join(addresses, ","), model::health_state_name(record.health.state),
                    services.empty() ? "no service" : join(services, ", "));
    out += node == nullptr ? "  nowhere" : "  " + node->locality.text();
    const auto* status = bed_.catalog.latest_status(record.node);
    if (record.unwatched) out += ", unwatched";
    if (status != nullptr && status->silent) out += ", silent";
    return out;
  }

  std::string changes() {
    std::map<std::string, std::string> now;
    for (const auto& [key, record] : bed_.catalog.records().endpoints) {
      now[key.substr(key.find('/') + 1)] = record_text(record);
    }
    std::string out;
    for (const auto& [key, line] : now) {
      const auto before = lines_.find(key);
      if (before == lines_.end()) out += "+ " + key + "  " + line + "\n";
      if (before != lines_.end() && before->second != line) out += "~ " + key + "  " + line + "\n";
    }
    for (const auto& [key, line] : lines_) {
      if (!now.contains(key)) out += "- " + key + "\n";
    }
    lines_ = std::move(now);
    std::vector<std::string> nodes;
    for (const auto& [key, node] : bed_.catalog.records().nodes) nodes.push_back(key.substr(key.find('/') + 1));
    if (std::exchange(nodes_, nodes) != nodes) out += "nodes: " + (nodes.empty() ? "none" : join(nodes, " ")) + "\n";
    return out;
  }

  ClusterBed bed_;
  std::map<std::string, std::string> lines_;  // as shown last
  std::vector<std::string> nodes_;
};

TEST(Scenario, Slices) {
  run_scenarios("slices", [] { return std::make_unique<SlicesSubject>(); });
}

}  // namespace
}  // namespace meshdns::test
