// Lines of a watch are applied one after the other: an initial list, then changes. Whatever the objects are, each
// address is one pod's, no pod goes before the list is complete, and the endpoints are those that a federation can
// take.
#include <boost/json/parse.hpp>
#include <string>

#include "agent/discovery/kubernetes_node.h"
#include "agent/discovery/pod_endpoints.h"
#include "agent/discovery/pod_store.h"
#include "common/base/text.h"
#include "common/model/limits.h"
#include "tests/fuzz/fuzz.h"

using meshdns::discovery::PodStore;
using meshdns::kubernetes::EventType;

namespace {

namespace json = boost::json;

EventType type_of(const json::object& event) {
  const json::value* type = event.if_contains("type");
  if (type == nullptr || !type->is_string()) return EventType::Added;
  if (type->get_string() == "DELETED") return EventType::Deleted;
  return type->get_string() == "MODIFIED" ? EventType::Modified : EventType::Added;
}

void check_pods(const PodStore& store) {
  std::map<meshdns::IpAddress, std::string> owners;
  for (const auto& [uid, pod] : store.pods()) {
    MESHDNS_CHECK(!uid.empty() && pod.uid == uid && !pod.namespace_.empty() && !pod.name.empty());
    if (pod.has_ended() || pod.host_network) continue;
    for (const auto& address : pod.addresses) MESHDNS_CHECK(owners.emplace(address, uid).second);
  }
}

void check_endpoints(const PodStore& store) {
  for (const auto& found : meshdns::discovery::endpoints_of(store.pods()).endpoints) {
    const auto& endpoint = found.found.endpoint;
    MESHDNS_CHECK(meshdns::is_ldh_label(endpoint.service) && !endpoint.addresses.empty());
    MESHDNS_CHECK(endpoint.addresses.size() <= meshdns::model::kMostAddresses);
    MESHDNS_CHECK(endpoint.ports.size() <= meshdns::model::kMostPorts);
    MESHDNS_CHECK(endpoint.labels.size() <= meshdns::model::kMostLabels);
    for (const auto& port : endpoint.ports) MESHDNS_CHECK(port.number > 0);
    for (const auto& check : found.found.checks) MESHDNS_CHECK(check.port > 0);
  }
}

void apply(PodStore& store, const json::object& event) {
  const json::value* object = event.if_contains("object");
  if (object == nullptr || !object->is_object()) return;
  const std::size_t before = store.pods().size();
  const EventType type = type_of(event);
  store.apply(type, object->get_object());
  MESHDNS_CHECK(type == EventType::Deleted || store.pods().size() >= before);
  check_pods(store);
  const auto node = meshdns::discovery::read_node(object->get_object());
  if (!node) return;
  const auto clients = meshdns::discovery::client_prefixes(*node, store.pods());
  MESHDNS_CHECK(clients.prefixes.size() <= meshdns::model::kMostPrefixes);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  PodStore store;
  store.begin_list();
  for (const std::string_view line : meshdns::split(text, '\n')) {
    boost::system::error_code error;
    const json::value event = json::parse(line, error);
    if (!error && event.is_object()) apply(store, event.get_object());
  }
  check_endpoints(store);
  store.listed();
  check_pods(store);
  return 0;
}
