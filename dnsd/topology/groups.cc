#include "dnsd/topology/groups.h"

#include "common/base/text.h"

namespace meshdns::topology {
namespace {

std::string replaced(std::string text, std::string_view word, const std::string& value) {
  const auto at = text.find(word);
  return at == std::string::npos ? text : text.replace(at, word.size(), value);
}

}  // namespace

std::string service_group(const std::string& ns, const std::string& service) { return "service " + ns + " " + service; }

std::string label_group(const std::string& ns, const std::string& name, const std::string& value) {
  return "label " + ns + " " + name + " " + value;
}

std::string namespace_group(const std::string& ns) { return "namespace " + ns; }

std::string group_of(const model::ServiceSelector& selector, const std::string& own_namespace) {
  const std::string& ns = selector.namespace_.empty() ? own_namespace : selector.namespace_;
  if (!selector.name.empty()) return service_group(ns, selector.name);
  if (selector.match_labels.empty()) return namespace_group(ns);
  const auto& [name, value] = *selector.match_labels.begin();
  return label_group(ns, name, value);
}

std::string auto_host(const HostNaming& naming, const model::ServiceKey& service, const std::string& zone) {
  if (naming.auto_hosts.empty() || !is_ldh_label(service.name) || !is_ldh_label(service.namespace_)) return "";
  std::string name = replaced(naming.auto_hosts, "{service}", service.name);
  name = ascii_lower(replaced(replaced(std::move(name), "{namespace}", service.namespace_), "{zone}", zone));
  return zone_of(naming.zones, name) == zone ? name : "";
}

}  // namespace meshdns::topology
