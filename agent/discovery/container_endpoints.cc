#include "agent/discovery/container_endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "agent/discovery/container_reach.h"
#include "common/base/hint.h"
#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/config/endpoint_labels.h"
#include "common/model/sources.h"

// How it works: an endpoint is read twice in its own terms and once in the node's. The labels that only containers have
// (port, address, network) are read here. All others are those of an entry of endpoints.d, and the reader of those
// files reads them, with the ports as they are inside the container: so defaults and mistakes are the same, and checks
// name the ports that the image knows. Then every port gets the number at which it is reached.

namespace meshdns::discovery {
namespace {

using Mistakes = std::vector<std::string>;
using Labels = std::map<std::string, std::string>;

constexpr std::uint64_t kHighestPort = 65535;
constexpr std::size_t kKeyDigits = 12;  // of the id, as `docker ps` shows it
constexpr std::size_t kLongestShown = 60;

/// A port that the endpoint offers.
struct Offered {
  std::string name;
  ContainerPort port;
};

std::string shown(std::string_view text) { return printable(text.substr(0, kLongestShown)); }

/// Reads "80", "http:80" or "dns:53/udp".
std::optional<Offered> offered_port(std::string_view text) {
  Offered out;
  const auto colon = text.find(':');
  if (colon != std::string_view::npos) {
    out.name = text.substr(0, colon);
    if (!is_ldh_label(out.name)) return std::nullopt;
    text.remove_prefix(colon + 1);
  }
  const auto slash = text.find('/');
  const auto number = parse_uint(text.substr(0, slash));
  const std::string protocol = slash == std::string_view::npos ? "tcp" : ascii_lower(text.substr(slash + 1));
  if (!number || *number == 0 || *number > kHighestPort || (protocol != "tcp" && protocol != "udp"))
    return std::nullopt;
  out.port = {static_cast<std::uint16_t>(*number), protocol == "tcp" ? "TCP" : "UDP"};
  return out;
}

/// Returns the ports that the label `port` names; without it the only one that the container exposes.
std::vector<Offered> offered_ports(const Container& container, Mistakes& problems) {
  std::vector<Offered> out;
  const auto label = container.labels.find("port");
  if (label != container.labels.end()) {
    for (const std::string_view word : split(label->second, ',')) {
      auto port = offered_port(trim(word));
      if (port) out.push_back(std::move(*port));
      if (!port) {
        problems.push_back("meshdns.port: expected ports like 80, http:80 or dns:53/udp (got " + shown(word) + ")");
      }
    }
    return out;
  }
  if (container.exposed.size() == 1) return {{"", *container.exposed.begin()}};
  std::vector<std::string> exposed;
  for (const ContainerPort& port : container.exposed) exposed.push_back(port.text());
  problems.push_back("meshdns.port is missing, and the container exposes " +
                     (exposed.empty() ? "no port" : "several: " + join(exposed, ", ")));
  return out;
}

/// Returns the ports as the value of `ports` in a file.
std::string ports_text(const std::vector<Offered>& ports) {
  std::vector<std::string> out;
  for (const Offered& port : ports) {
    const std::string name = port.name.empty() ? "" : "name: \"" + port.name + "\", ";
    out.push_back(fmt::format("{{{}number: {}, protocol: {}}}", name, port.port.number, port.port.protocol));
  }
  return "[" + join(out, ", ") + "]";
}

/// Gives a check that connects, and names no port, the first port of its protocol.
void add_check_port(const std::vector<Offered>& ports, Labels& labels) {
  for (const char* kind : {"tcp", "http", "https", "grpc", "udp", "dns"}) {
    const std::string check = std::string("check.") + kind;
    const auto first = labels.lower_bound(check);
    const bool given = first != labels.end() && (first->first == check || first->first.starts_with(check + "."));
    if (!given || labels.contains(check + ".port")) continue;
    const auto over_tcp = labels.find("check.dns.tcp");
    const bool udp =
        check == "check.udp" || (check == "check.dns" && (over_tcp == labels.end() || over_tcp->second != "true"));
    const auto port =
        std::ranges::find_if(ports, [&](const Offered& each) { return each.port.protocol == (udp ? "UDP" : "TCP"); });
    if (port != ports.end()) labels[check + ".port"] = std::to_string(port->port.number);
  }
}

ReachWish reach_wish(const Container& container, Mistakes& problems) {
  ReachWish out;
  const auto text = [&](const char* name) {
    const auto label = container.labels.find(name);
    return label == container.labels.end() ? std::string() : std::string(trim(label->second));
  };
  out.network = text("network");
  out.address = text("address");
  if (!out.address.empty() && out.address != "container" && out.address != "published") {
    problems.push_back("meshdns.address: expected container or published (got " + shown(out.address) + ")");
  }
  if (out.address == "published" && !out.network.empty()) {
    problems.emplace_back("meshdns.network: not with the address of published ports");
  }
  return out;
}

/// Returns the labels that an entry of endpoints.d has too. Others are reported.
Labels entry_labels(const Container& container, Mistakes& problems) {
  const std::vector<std::string> known = {"service", "namespace", "port",    "weight",
                                          "labels",  "check",     "address", "network"};
  Labels out;
  for (const auto& [name, value] : container.labels) {
    const std::string key = name.substr(0, name.find('.'));
    if (std::ranges::find(known, key) == known.end()) {
      problems.push_back("meshdns." + printable(name) + ": unknown label" + hint(did_you_mean(key, known)));
    } else if (key != "port" && key != "address" && key != "network") {
      out.emplace(name, value);
    } else if (key != name) {
      problems.push_back("meshdns." + printable(name) + ": unknown label: meshdns." + key + " has no parts");
    }
  }
  return out;
}

std::string problem_text(const config::Problem& problem) {
  std::string path = problem.path;
  if (path.starts_with("ports")) path = "port";
  if (problem.what.ends_with(" is missing")) return "meshdns." + (path.empty() ? "" : path + ".") + problem.what;
  return "meshdns" + (path.empty() ? "" : "." + path) + ": " + problem.what;
}

/// Returns a problem of endpoints_of() in the words of labels: "checks is missing: ...".
std::string missing_label(const std::string& what) {
  constexpr std::string_view kChecks = "checks";
  return what.starts_with(kChecks) ? "meshdns.check" + what.substr(kChecks.size()) : what;
}

/// Gives a check the number at which its port is reached.
/// errors: the port is not reached there, or the check is of another address: an image, which may come from anywhere,
///         brings labels too, and the agent is in the network of the host
Result<void> translate(const ContainerReach& reach, probes::Target& to, const char* protocol) {
  if (to.address) return Error(Code::FailedPrecondition, "a container is checked at its own address: no `address`");
  const ContainerPort port{to.port, protocol};
  const auto number = reach.number_of(port);
  if (!number) return Error(Code::FailedPrecondition, "port " + port.text() + " is not published");
  to.port = *number;
  return {};
}

template <class Check>
Result<void> translate_kind(const ContainerReach& reach, Check& check) {
  if constexpr (std::is_same_v<Check, probes::GroupCheck>) {
    for (auto& part : check.parts) {
      const auto done = std::visit([&](auto& kind) { return translate_kind(reach, kind); }, part);
      if (!done) return done;
    }
  } else if constexpr (std::is_same_v<Check, probes::ExecCheck>) {
    return Error(Code::FailedPrecondition, "exec: no label of a container starts a program of the host");
  } else if constexpr (std::is_same_v<Check, probes::DnsCheck>) {
    return translate(reach, check.to, check.tcp ? "TCP" : "UDP");
  } else if constexpr (requires { check.to.port; }) {
    return translate(reach, check.to, std::is_same_v<Check, probes::UdpCheck> ? "UDP" : "TCP");
  }
  return {};
}

/// Replaces the ports inside the container by those at which they are reached.
/// errors: a check cannot be made there, or may not be
Result<void> translate(const ContainerReach& reach, Discovered& found) {
  model::Ports ports = found.endpoint.ports.get();
  for (model::Port& port : ports) {
    port.number = reach.number_of({port.number, port.protocol}).value_or(port.number);
  }
  found.endpoint.ports = std::move(ports);
  for (CheckSpec& check : found.checks.edit()) {
    const auto done = std::visit([&](auto& kind) { return translate_kind(reach, kind); }, check.what);
    if (!done) return done;
  }
  return {};
}

/// Why a running container does not serve; empty = nothing says so.
std::string why_down(const Container& container) {
  if (container.paused) return "container paused";
  const bool well = container.health.empty() || container.health == "healthy";
  return well ? "" : "container " + printable(container.health);
}

/// Returns the endpoint of a container; nothing = it is none, and `problems` says why.
std::optional<Discovered> endpoint_of(const Container& container, const Defaults& node, Mistakes& problems) {
  Labels labels = entry_labels(container, problems);
  const auto ports = offered_ports(container, problems);
  const ReachWish wish = reach_wish(container, problems);
  labels["ports"] = ports_text(ports);
  add_check_port(ports, labels);
  const auto loaded = config::load_endpoint_labels(labels, container.name);
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) {
      // what is wrong with the ports was said above
      if (!ports.empty() || !problem.path.starts_with("ports")) problems.push_back(problem_text(problem));
    }
  }
  if (!problems.empty()) return std::nullopt;
  std::vector<ContainerPort> inside;
  for (const Offered& port : ports) inside.push_back(port.port);
  const auto reach = reach_of(container, inside, wish, node.addresses);
  if (!reach) {
    problems.push_back(reach.error().message());
    return std::nullopt;
  }
  auto read = endpoints_of(*loaded, container.name, {reach->addresses});
  if (!read) {
    for (const config::Problem& problem : read.error()) problems.push_back(missing_label(problem.what));
    return std::nullopt;
  }
  Discovered out = std::move(read->front());
  if (const auto done = translate(*reach, out); !done) {
    problems.push_back("meshdns.check: " + done.error().message());
    return std::nullopt;
  }
  out.key = out.endpoint.key = "container/" + container.id.substr(0, kKeyDigits);
  out.endpoint.source = model::kContainerSource;
  out.down = why_down(container);
  return out;
}

}  // namespace

ContainerListing endpoints_of(const std::map<std::string, Container>& containers, const Defaults& node) {
  ContainerListing out;
  for (const auto& [id, container] : containers) {
    if (!container.running) continue;
    Mistakes problems;
    auto found = endpoint_of(container, node, problems);
    for (const std::string& problem : problems) out.problems.push_back(printable(container.name) + ": " + problem);
    if (found) out.endpoints.push_back(std::move(*found));
  }
  return out;
}

}  // namespace meshdns::discovery
