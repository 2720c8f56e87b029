#include "tests/scenario/slices/slice_objects.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <set>

#include "common/base/text.h"

namespace meshdns::test {
namespace {

namespace json = boost::json;

std::string option(const ObjectOptions& options, const std::string& key, const std::string& otherwise = "") {
  const auto found = options.find(key);
  return found == options.end() ? otherwise : found->second;
}

/// "http:8080", "8080" or "dns:53/UDP"
json::object port(std::string_view text) {
  const auto colon = text.find(':');
  const auto slash = text.find('/');
  json::object out{{"name", colon == std::string_view::npos ? "" : std::string(text.substr(0, colon))}};
  const std::string_view digits = text.substr(colon == std::string_view::npos ? 0 : colon + 1);
  out["port"] = static_cast<std::int64_t>(parse_uint(digits.substr(0, digits.find('/'))).value());
  out["protocol"] = slash == std::string_view::npos ? "TCP" : std::string(text.substr(slash + 1));
  return out;
}

json::value conditions(const std::string& word) {
  if (word == "null") return nullptr;
  if (word.empty()) return json::object();
  const bool terminating = word == "terminating" || word == "stopped";
  const bool serving = word == "ready" || word == "terminating";
  return json::object{
      {"ready", word == "ready" || word == "published"}, {"serving", serving}, {"terminating", terminating}};
}

json::object endpoint(const std::string& member, const std::string& text, const std::string& namespace_) {
  const auto parts = split(text, '/');
  const auto part = [&](std::size_t i) { return i < parts.size() ? std::string(parts[i]) : ""; };
  json::object out{{"addresses", json::array{json::string(part(0))}}, {"conditions", conditions(part(3))}};
  if (!part(1).empty()) out["nodeName"] = part(1);
  if (!part(2).empty()) out["zone"] = part(2);
  if (!part(4).empty()) out["hostname"] = part(4);
  if (!member.starts_with("ip")) {
    out["targetRef"] = json::object{{"kind", "Pod"}, {"namespace", namespace_}, {"name", member}, {"uid", member}};
  }
  return out;
}

void fill_slice(const ObjectOptions& options, const std::string& namespace_, json::object& out) {
  static const std::set<std::string> kWords = {"service", "type", "ports", "endpoints", "uid", "ns", "broken"};
  out["addressType"] = option(options, "type", "IPv4");
  if (option(options, "ports") == "null") {
    out["ports"] = nullptr;
  } else {
    json::array ports;
    const std::string listed = option(options, "ports", "http:8080");
    for (const std::string_view each : split(listed, ',')) ports.push_back(port(each));
    out["ports"] = std::move(ports);
  }
  if (option(options, "endpoints") == "null") {
    out["endpoints"] = nullptr;
    return;
  }
  json::array endpoints;
  for (const auto& [member, text] : options) {
    if (!kWords.contains(member)) endpoints.push_back(endpoint(member, text, namespace_));
  }
  out["endpoints"] = std::move(endpoints);
}

json::object labels_of(const std::string& kind, const ObjectOptions& options) {
  json::object out;
  if (options.contains("export")) out["meshdns.io/export"] = option(options, "export");
  if (options.contains("region")) out["topology.kubernetes.io/region"] = option(options, "region");
  if (options.contains("zone")) out["topology.kubernetes.io/zone"] = option(options, "zone");
  if (kind == "slice" && options.contains("service")) out["kubernetes.io/service-name"] = option(options, "service");
  return out;
}

}  // namespace

json::object kubernetes_object(const std::string& kind, const std::string& name, const ObjectOptions& options) {
  const std::string namespace_ = option(options, "ns", "shop");
  json::object metadata{{"name", name}, {"uid", option(options, "uid", "uid-" + kind + "-" + name)}};
  if (kind != "node" && kind != "namespace") metadata["namespace"] = namespace_;
  metadata["labels"] = labels_of(kind, options);
  json::object out{{"metadata", std::move(metadata)}};
  if (kind == "slice") fill_slice(options, namespace_, out);
  if (kind == "service") {
    json::object spec{{"type", option(options, "type", "ClusterIP")}};
    if (options.contains("notready")) spec["publishNotReadyAddresses"] = true;
    out["spec"] = std::move(spec);
  }
  if (const std::string broken = option(options, "broken"); !broken.empty()) out[broken] = 7;
  return out;
}

}  // namespace meshdns::test
