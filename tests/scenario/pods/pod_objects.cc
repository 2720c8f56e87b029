#include "tests/scenario/pods/pod_objects.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "common/base/text.h"
#include "common/time/time_text.h"

namespace meshdns::test {
namespace {

namespace json = boost::json;
using Options = std::map<std::string, std::string>;

std::string option(const Options& options, const std::string& key, const std::string& otherwise = "") {
  const auto found = options.find(key);
  return found == options.end() ? otherwise : found->second;
}

std::vector<std::string> list(const Options& options, const std::string& key) {
  std::vector<std::string> out;
  const std::string text = option(options, key);
  for (const std::string_view part : split(text, ',')) {
    if (!part.empty()) out.emplace_back(part);
  }
  return out;
}

std::uint64_t number(const std::string& text) { return parse_uint(text).value(); }

json::value time_of(const std::string& seconds) {
  return json::value(time_text(static_cast<std::int64_t>(1'795'000'000 + number(seconds))));
}

/// The options that begin with a prefix, as a mapping: label.app=web.
json::object texts(const Options& options, const std::string& prefix, const std::string& name_prefix = "") {
  json::object out;
  for (const auto& [key, value] : options) {
    if (key.starts_with(prefix)) out[name_prefix + key.substr(prefix.size())] = value;
  }
  return out;
}

/// "http:8080", "8080" or "dns:53/UDP"
json::object port(std::string_view text) {
  json::object out;
  const auto slash = text.find('/');
  const auto colon = text.find(':');
  if (colon != std::string_view::npos) out["name"] = std::string(text.substr(0, colon));
  const std::string_view digits = text.substr(colon == std::string_view::npos ? 0 : colon + 1);
  out["containerPort"] = static_cast<std::int64_t>(number(std::string(digits.substr(0, digits.find('/')))));
  out["protocol"] = slash == std::string_view::npos ? "TCP" : std::string(text.substr(slash + 1));
  return out;
}

json::object container(const char* name, const std::vector<std::string>& ports) {
  json::object out{{"name", name}, {"image", "x:1"}, {"resources", json::object()}};
  json::array listed;
  for (const std::string& text : ports) listed.push_back(port(text));
  if (!listed.empty()) out["ports"] = listed;
  return out;
}

json::object container_status(const char* name, const Options& options, const std::string& suffix) {
  json::object out{{"name", name}, {"lastState", json::object()}, {"started", true}};
  const std::string id = option(options, "id" + suffix, "containerd://aa" + suffix);
  if (!id.empty()) out["containerID"] = id;
  out["restartCount"] = static_cast<std::int64_t>(number(option(options, "restarts" + suffix, "0")));
  out["state"] = json::object{{"running", json::object{{"startedAt", time_of("0")}}}};
  return out;
}

json::object metadata(const std::string& name, const Options& options) {
  json::object out{{"name", name}, {"namespace", option(options, "ns", "shop")}, {"resourceVersion", "226"}};
  out["uid"] = option(options, "uid");
  out["creationTimestamp"] = time_of("0");
  if (auto labels = texts(options, "label."); !labels.empty()) out["labels"] = labels;
  if (auto notes = texts(options, "note.", "meshdns.io/"); !notes.empty()) {
    notes["kubernetes.io/psp"] = "restricted";
    out["annotations"] = notes;
  }
  if (!options.contains("grace")) return out;
  out["deletionTimestamp"] = time_of(option(options, "grace"));
  out["deletionGracePeriodSeconds"] = static_cast<std::int64_t>(number(option(options, "grace")));
  return out;
}

json::object spec(const Options& options) {
  json::object out{{"nodeName", "g-n1"}, {"restartPolicy", "Always"}};
  out["containers"] = json::array{container("c", list(options, "ports"))};
  json::array init{container("setup", {"setup:1"})};
  if (options.contains("sidecar")) {
    init.push_back(container("proxy", list(options, "sidecar")));
    init.back().get_object()["restartPolicy"] = "Always";
  }
  out["initContainers"] = init;
  if (option(options, "hostnetwork") == "true") out["hostNetwork"] = true;
  return out;
}

json::object condition(const char* type, const std::string& status, const Options& options) {
  json::object out{{"type", type}, {"status", status}, {"lastProbeTime", nullptr}};
  out["lastTransitionTime"] = time_of(option(options, "since", "0"));
  std::string message = option(options, "message");
  std::ranges::replace(message, '_', ' ');
  if (!message.empty()) out["message"] = message;
  if (options.contains("reason")) out["reason"] = option(options, "reason");
  return out;
}

json::object status(const Options& options) {
  json::object out{{"phase", option(options, "phase", "Running")}, {"qosClass", "BestEffort"}};
  const std::string ready = option(options, "ready", "none");
  if (ready == "none") return out;
  out["startTime"] = time_of(option(options, "started", "0"));
  out["conditions"] = json::array{condition("PodScheduled", "True", {}), condition("ContainersReady", "True", {}),
                                  condition("Ready", ready, options)};
  json::array addresses;
  for (const std::string& address : list(options, "ip")) addresses.push_back(json::object{{"ip", address}});
  if (!addresses.empty()) {
    out["podIP"] = list(options, "ip").front();
    out["podIPs"] = addresses;
  }
  out["containerStatuses"] = json::array{container_status("c", options, "")};
  json::array init{container_status("setup", {{"id", "containerd://setup"}}, "")};
  if (options.contains("sidecar")) init.push_back(container_status("proxy", options, "2"));
  out["initContainerStatuses"] = init;
  return out;
}

/// Gives one member a value of the wrong type.
void spoil(json::object& pod, const std::string& what) {
  if (what == "uid") pod["metadata"].as_object().erase("uid");
  if (what == "labels") pod["metadata"].as_object()["labels"] = json::object{{"app", 7}};
  if (what == "address") pod["status"].as_object()["podIPs"] = json::array{json::object{{"ip", "10.0.0"}}};
  if (what == "addresses") pod["status"].as_object()["podIPs"] = "10.0.0.1";
  if (what == "time") pod["status"].as_object()["startTime"] = "yesterday";
  if (what == "port") {
    pod["spec"].as_object()["containers"] =
        json::array{json::object{{"name", "c"}, {"ports", json::array{json::object{{"containerPort", 65536}}}}}};
  }
}

}  // namespace

json::object pod_object(const std::string& name, const Options& options) {
  json::object out{{"kind", "Pod"}, {"apiVersion", "v1"}};
  out["metadata"] = metadata(name, options);
  out["spec"] = spec(options);
  out["status"] = status(options);
  spoil(out, option(options, "broken"));
  return out;
}

json::object node_object(const Command& command) {
  json::object labels{{"kubernetes.io/hostname", "g-n1"}};
  if (command.options.contains("region")) labels["topology.kubernetes.io/region"] = command.option("region");
  if (command.options.contains("zone")) labels["topology.kubernetes.io/zone"] = command.option("zone");
  json::array prefixes;
  for (const std::string& prefix : command.list("pods")) prefixes.emplace_back(prefix);
  json::object spec;
  if (!prefixes.empty()) spec = {{"podCIDR", prefixes.front()}, {"podCIDRs", prefixes}};
  json::array addresses{json::object{{"type", "Hostname"}, {"address", "g-n1"}}};
  for (const std::string& address : command.list("internal")) {
    addresses.push_back(json::object{{"type", "InternalIP"}, {"address", address}});
  }
  addresses.push_back(json::object{{"type", "ExternalIP"}, {"address", "203.0.113.7"}});
  return {{"kind", "Node"},
          {"metadata", json::object{{"name", "g-n1"}, {"uid", "67095f33"}, {"labels", labels}}},
          {"spec", spec},
          {"status", json::object{{"addresses", addresses}}}};
}

}  // namespace meshdns::test
