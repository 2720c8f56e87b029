// The containers of one node, from lists, events and inspections to endpoints:
//   node ADDRESS...                 the addresses of the node
//   run ID [OPTIONS]                a container of the engine; it keeps its options by its id, and "health=" takes one
//   away
//       name=web state=running|paused|exited health=healthy mode=host net.NETWORK=ADDRESSES expose=80/tcp,53/udp
//       port.80/tcp=HOST:PORT,:PORT   published, HOST of IPv6 in brackets; label.NAME=VALUE, with _ for a space,
//       without `meshdns.`
//   gone ID                         the engine has it no more
//   list                            the engine's list arrives: what it has now
//   event ACTION ID [of=other]      an event arrives; of=other: of a container without labels of meshdns
//   ask ; reply [broken]            an inspection begins, and its answer arrives: what the engine has at `ask`
//   settle                          all inspections, one after the other
// Output: + an endpoint that came, ~ one that changed, - one that went; ! a problem, with "no more" when it ended; ?
// what is inspected.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "agent/discovery/container_endpoints.h"
#include "agent/discovery/container_store.h"
#include "common/base/text.h"
#include "common/net/socket_address.h"
#include "common/time/duration_text.h"
#include "tests/support/scenario/scenario.h"

namespace meshdns::test {
namespace {

using discovery::Container;
using discovery::ContainerPort;
using discovery::Discovered;

IpAddress address(std::string_view text) {
  const auto out = IpAddress::parse(text);
  if (!out) throw std::runtime_error("no address: " + std::string(text));
  return *out;
}

ContainerPort port_of(const std::string& text) {
  const auto parts = split(text, '/');
  const bool udp = parts.size() > 1 && parts[1] == "udp";
  return {static_cast<std::uint16_t>(parse_uint(parts[0]).value()), udp ? "UDP" : "TCP"};
}

discovery::Published published(const std::string& text) {
  const auto colon = text.rfind(':');
  discovery::Published out{.address = {},
                           .number = static_cast<std::uint16_t>(parse_uint(text.substr(colon + 1)).value())};
  std::string host = text.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (!host.empty()) out.address = address(host);
  return out;
}

std::string target_text(const probes::AnyCheck& check) {
  const probes::Target* to = probes::target_of(check);
  if (to == nullptr) return "";
  return (to->address ? " " + to->address->text() : "") + ":" + std::to_string(to->port);
}

std::string check_text(const discovery::CheckSpec& check) {
  std::string out = ", check " + probes::kind_name(check.what) + target_text(check.what);
  if (const auto* http = std::get_if<probes::HttpCheck>(&check.what)) out += http->path;
  if (const auto* group = std::get_if<probes::GroupCheck>(&check.what)) {
    for (const auto& part : group->parts) {
      const auto whole = std::visit([](const auto& kind) { return probes::AnyCheck(kind); }, part);
      out += " (" + probes::kind_name(whole) + target_text(whole) + ")";
    }
  }
  return out + " every " + duration_text(check.settings.interval);
}

std::string endpoint_text(const Discovered& found) {
  std::vector<std::string> addresses;
  for (const IpAddress& each : found.endpoint.addresses) addresses.push_back(each.text());
  std::vector<std::string> ports;
  for (const auto& port : found.endpoint.ports) {
    ports.push_back((port.name.empty() ? "" : port.name + ":") + std::to_string(port.number) +
                    (port.protocol == "TCP" ? "" : "/" + port.protocol));
  }
  std::string out = fmt::format("{}  {}/{}  {}  {}", found.key, found.endpoint.namespace_, found.endpoint.service,
                                join(addresses, ","), join(ports, ","));
  if (found.endpoint.weight != 1) out += fmt::format(", weight {}", found.endpoint.weight);
  for (const auto& check : found.checks) out += check_text(check);
  for (const auto& [name, value] : found.endpoint.labels) out += " " + name + "=" + value;
  return found.down.empty() ? out : out + ", down: " + found.down;
}

class Containers : public Subject {
 public:
  std::string run(const Command& command) override {
    out_.clear();
    const std::string& verb = command.words.at(0);
    if (verb == "node") {
      node_.addresses.clear();
      for (std::size_t i = 1; i < command.words.size(); ++i) node_.addresses.push_back(address(command.words[i]));
    } else if (verb == "run") {
      change(command);
    } else if (verb == "gone") {
      engine_.erase(command.words.at(1));
    } else if (verb == "list") {
      list();
    } else if (verb == "event") {
      store_.take_event(event(command));
    } else if (verb == "ask") {
      ask();
    } else if (verb == "reply") {
      reply(command.has_word("broken"));
    } else if (verb == "settle") {
      while (ask()) reply(false);
    } else {
      throw std::runtime_error("unknown verb " + verb);
    }
    return out_ + differences();
  }

 private:
  void change(const Command& command) {
    const std::string& id = command.words.at(1);
    auto& options = options_[id];
    for (const auto& [name, value] : command.options) options[name] = value;
    Container& container = engine_[id];
    container = {};
    container.id = id;
    for (const auto& [name, value] : options) set(name, value, container);
  }

  static void set(const std::string& name, const std::string& value, Container& container) {
    const std::string rest = name.substr(name.find('.') + 1);
    const auto words = [&] { return value.empty() ? std::vector<std::string_view>() : split(value, ','); }();
    if (value == "!") return;
    if (name == "name") {
      container.name = value;
    } else if (name == "state") {
      container.paused = value == "paused";
      container.running = value == "running" || container.paused;
    } else if (name == "health") {
      container.health = value;
    } else if (name == "mode") {
      container.host_network = value == "host";
    } else if (name == "expose") {
      for (const auto word : words) container.exposed.insert(port_of(std::string(word)));
    } else if (name.starts_with("net.")) {
      for (const auto word : words) container.networks[rest].push_back(address(word));
    } else if (name.starts_with("port.")) {
      container.exposed.insert(port_of(rest));
      for (const auto word : words) container.published[port_of(rest)].push_back(published(std::string(word)));
    } else if (name.starts_with("label.")) {
      container.labels[rest] = value;
      std::ranges::replace(container.labels[rest], '_', ' ');
    } else {
      throw std::runtime_error("unknown option " + name);
    }
  }

  void list() {
    std::set<std::string> ids;
    for (const auto& [id, container] : engine_) {
      if (!container.labels.empty()) ids.insert(id);
    }
    store_.take_list(ids);
  }

  static discovery::ContainerEvent event(const Command& command) {
    std::string action = command.words.at(1);
    std::ranges::replace(action, '_', ' ');
    if (action.starts_with("health ")) action.replace(0, 7, "health_");
    const std::string labels = command.option("of") == "other" ? "" : R"(,"meshdns.service":"web")";
    const auto read = discovery::read_container_event(
        fmt::format(R"({{"Type":"container","Action":"{}","Actor":{{"ID":"{}","Attributes":{{"image":"web:1"{}}}}}}})",
                    action, command.words.at(2), labels));
    return read.value();
  }

  bool ask() {
    const auto id = store_.next();
    if (!id) return false;
    out_ += "? " + *id + "\n";
    const auto found = engine_.find(*id);
    answer_ = found == engine_.end() ? std::nullopt : std::optional(found->second);
    return true;
  }

  void reply(bool broken) {
    if (broken) {
      store_.take(Error(Code::InvalidArgument, "State: expected an object (got a text)"));
    } else {
      store_.take(answer_);
    }
  }

  std::string differences() {
    const auto listing = discovery::endpoints_of(store_.containers(), node_);
    std::map<std::string, std::string> now;
    for (const Discovered& found : listing.endpoints) now[found.key] = endpoint_text(found);
    std::set<std::string> problems(listing.problems.begin(), listing.problems.end());
    for (const auto& [id, problem] : store_.problems()) problems.insert(problem);
    std::string out;
    for (const auto& [key, text] : endpoints_) {
      if (!now.contains(key)) out += "- " + key + "\n";
    }
    for (const auto& [key, text] : now) {
      const auto before = endpoints_.find(key);
      if (before == endpoints_.end()) out += "+ " + text + "\n";
      if (before != endpoints_.end() && before->second != text) out += "~ " + text + "\n";
    }
    for (const std::string& problem : problems_) {
      if (!problems.contains(problem)) out += "! no more: " + problem + "\n";
    }
    for (const std::string& problem : problems) {
      if (!problems_.contains(problem)) out += "! " + problem + "\n";
    }
    endpoints_ = std::move(now);
    problems_ = std::move(problems);
    return out;
  }

  discovery::Defaults node_;
  std::map<std::string, std::map<std::string, std::string>> options_;  // by id
  std::map<std::string, Container> engine_;                            // by id
  discovery::ContainerStore store_;
  std::optional<Container> answer_;  // as the engine sends it
  std::map<std::string, std::string> endpoints_;
  std::set<std::string> problems_;
  std::string out_;
};

TEST(Scenario, containers) {
  run_scenarios("containers", [] { return std::make_unique<Containers>(); });
}

}  // namespace
}  // namespace meshdns::test
