#include "agent/discovery/pod_endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "agent/discovery/pod_annotations.h"
#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/model/limits.h"
#include "common/model/sources.h"

namespace meshdns::discovery {
namespace {

constexpr const char* kServiceLabel = "meshdns.io/service";

/// Makes the endpoint of one pod, and collects what is wrong with it.
class Mapping {
 public:
  Mapping(const Pod& pod, std::vector<std::string>& problems)
      : pod_(pod), problems_(problems), settings_(read_annotations(pod.annotations)) {
    for (const std::string& problem : settings_.problems) fail(problem);
  }

  /// Returns the name of the pod's service; empty = it names none.
  std::string service() {
    if (!settings_.service.empty()) return settings_.service;
    const auto label = pod_.labels.find(kServiceLabel);
    if (label == pod_.labels.end() || label->second.empty()) return {};
    if (is_ldh_label(label->second)) return label->second;
    fail(fmt::format("label {}: expected letters, digits and hyphens (got {})", kServiceLabel,
                     printable(label->second)));
    return {};
  }

  Discovered found(const std::string& service) {
    Discovered out;
    out.key = "pod/" + pod_.uid;
    model::Endpoint& endpoint = out.endpoint;
    endpoint.key = out.key;
    endpoint.uid = pod_.uid;
    endpoint.source = model::kPodSource;
    endpoint.namespace_ = pod_.namespace_;
    endpoint.service = service;
    endpoint.labels = labels();
    endpoint.addresses = pod_.addresses;
    if (endpoint.addresses.size() > model::kMostAddresses) endpoint.addresses.resize(model::kMostAddresses);
    const model::Ports declared = declared_ports();
    endpoint.ports = chosen_ports(declared);
    endpoint.weight = settings_.weight;
    out.checks = checks(declared, endpoint.ports);
    return out;
  }

 private:
  void fail(const std::string& problem) { problems_.push_back(printable(pod_.title()) + ": " + problem); }

  /// Returns the labels without those that no record can hold: a label must not cost the pod its place in the answers.
  model::Labels labels() {
    model::Labels out = pod_.labels;
    std::erase_if(out, [](const auto& label) {
      return label.first.empty() || label.first.size() > model::kLongestText ||
             label.second.size() > model::kLongestText;
    });
    while (out.size() > model::kMostLabels) out.erase(std::prev(out.end()));
    if (out.size() < pod_.labels.size()) {
      fail(fmt::format("{} of its labels left out: at most {}, of at most {} bytes", pod_.labels.size() - out.size(),
                       model::kMostLabels, model::kLongestText));
    }
    return out;
  }

  /// Returns the declared ports, each once, with names that differ: SRV names an instance's port by them.
  model::Ports declared_ports() {
    model::Ports out;
    std::set<std::pair<std::uint16_t, std::string>> numbers;
    std::set<std::pair<std::string, std::string>> names;
    for (model::Port port : pod_.ports) {
      if (!numbers.emplace(port.number, port.protocol).second) continue;
      const bool is_named = is_ldh_label(port.name) && names.emplace(ascii_lower(port.name), port.protocol).second;
      if (!is_named) port.name.clear();
      out.push_back(std::move(port));
    }
    for (model::Port& port : out) {
      if (port.name.empty() && out.size() > 1) port.name = fmt::format("port-{}", port.number);
    }
    if (out.size() > model::kMostPorts) {
      fail(fmt::format("{} of its ports left out: at most {}", out.size() - model::kMostPorts, model::kMostPorts));
      out.resize(model::kMostPorts);
    }
    return out;
  }

  /// Returns all declared ports, or the one that the annotation names. A number need not be declared.
  model::Ports chosen_ports(const model::Ports& declared) {
    if (settings_.port.empty()) return declared;
    if (const auto known = port_called(declared, settings_.port)) return {*known};
    if (const auto number = parse_uint(settings_.port)) return {{"", static_cast<std::uint16_t>(*number), "TCP", ""}};
    fail(fmt::format("meshdns.io/port: no container declares a port {}", printable(settings_.port)));
    return declared;
  }

  /// Returns the port of a number or name; among several, TCP comes first.
  static std::optional<model::Port> port_called(const model::Ports& ports, const std::string& wanted) {
    const auto number = parse_uint(wanted);
    std::optional<model::Port> out;
    for (const model::Port& port : ports) {
      const bool fits = number ? port.number == *number : port.name == wanted;
      if (fits && (!out || (out->protocol != "TCP" && port.protocol == "TCP"))) out = port;
    }
    return out;
  }

  /// Returns the number of a check's TCP port; nothing = there is no such port.
  static std::optional<std::uint16_t> check_port(const std::string& wanted, const model::Ports& declared,
                                                 const model::Ports& chosen) {
    if (wanted.empty()) {
      const auto first = std::ranges::find(chosen, "TCP", &model::Port::protocol);
      return first == chosen.end() ? std::nullopt : std::optional(first->number);
    }
    if (const auto number = parse_uint(wanted)) return static_cast<std::uint16_t>(*number);
    const auto known = port_called(declared, wanted);
    return known && known->protocol == "TCP" ? std::optional(known->number) : std::nullopt;
  }

  std::vector<CheckSpec> checks(const model::Ports& declared, const model::Ports& chosen) {
    std::vector<CheckSpec> out;
    for (const PodSettings::Check& wanted : settings_.checks) {
      const auto number = check_port(wanted.port, declared, chosen);
      if (!number) {
        fail(fmt::format("meshdns.io/checks: the pod has no TCP port{}{}", wanted.port.empty() ? "" : " ",
                         printable(wanted.port)));
        continue;
      }
      out.push_back(wanted.spec);
      if (auto* http = std::get_if<probes::HttpCheck>(&out.back().what)) http->to.port = *number;
      if (auto* tcp = std::get_if<probes::TcpCheck>(&out.back().what)) tcp->to.port = *number;
    }
    return out;
  }

  const Pod& pod_;
  std::vector<std::string>& problems_;
  PodSettings settings_;
};

health::PodReport report_of(const Pod& pod) {
  health::PodReport out{.ready = pod.ready.yes, .why = pod.ready.why, .since = pod.ready.since};
  for (const auto& [name, container] : pod.containers) out.runs[name] = {container.id, container.restarts};
  if (pod.deletion) out.grace = pod.grace;
  return out;
}

}  // namespace

PodListing endpoints_of(const std::map<std::string, Pod>& pods) {
  PodListing out;
  for (const auto& [uid, pod] : pods) {
    if (pod.has_ended() || pod.addresses.empty()) continue;
    Mapping mapping(pod, out.problems);
    const std::string service = mapping.service();
    if (service.empty()) ++out.without_service;
    out.endpoints.push_back({mapping.found(service), report_of(pod), pod.host_network});
  }
  return out;
}

}  // namespace meshdns::discovery
