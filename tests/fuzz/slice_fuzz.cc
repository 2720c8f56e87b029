// Lines {"kind":"slice","type":"ADDED","object":{...}} are applied one after the other, once as initial lists and once
// as changes. Whatever the objects are, nothing is told before everything is listed, and what is told then are
// endpoints that a record can hold, each in one place.
#include <boost/json/parse.hpp>
#include <map>
#include <string>

#include "common/base/text.h"
#include "common/model/host_name.h"
#include "common/model/limits.h"
#include "dnsd/kubernetes/service_directory.h"
#include "tests/fuzz/fuzz.h"

using meshdns::kubernetes::Begin;
using meshdns::kubernetes::Event;
using meshdns::kubernetes::EventType;
using meshdns::kubernetes::Listed;
using meshdns::kubernetes::ServiceDirectory;
using Kind = ServiceDirectory::Kind;

namespace {

namespace json = boost::json;

constexpr Kind kKinds[] = {Kind::Services, Kind::Slices, Kind::Nodes, Kind::Namespaces, Kind::Exports};

std::string text_of(const json::object& object, const char* name) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

Kind kind_of(const std::string& word) {
  static const std::map<std::string, Kind> kWords = {
      {"slice", Kind::Slices}, {"node", Kind::Nodes}, {"namespace", Kind::Namespaces}, {"export", Kind::Exports}};
  const auto found = kWords.find(word);
  return found == kWords.end() ? Kind::Services : found->second;
}

void check(const meshdns::kubernetes::DirectoryChanges& changes) {
  for (const auto& [key, record] : changes.endpoints) {
    MESHDNS_CHECK(!key.empty());
    if (!record) continue;
    const meshdns::model::Endpoint& endpoint = record->endpoint;
    MESHDNS_CHECK(endpoint.key == key && endpoint.node == record->node.key && key.starts_with(endpoint.node + "/"));
    MESHDNS_CHECK(meshdns::model::is_node_key(endpoint.node));
    MESHDNS_CHECK(!endpoint.addresses.empty() && endpoint.addresses.size() <= meshdns::model::kMostAddresses);
    MESHDNS_CHECK(!endpoint.memberships.empty());
    for (const auto& membership : endpoint.memberships) {
      MESHDNS_CHECK(meshdns::is_ldh_label(membership.service));
      MESHDNS_CHECK(membership.ports.size() <= meshdns::model::kMostPorts);
      for (const auto& port : membership.ports) MESHDNS_CHECK(port.number > 0);
    }
  }
}

void apply(ServiceDirectory& directory, const json::object& line) {
  const json::value* object = line.if_contains("object");
  if (object == nullptr || !object->is_object()) return;
  const EventType type = text_of(line, "type") == "DELETED" ? EventType::Deleted : EventType::Added;
  directory.take(kind_of(text_of(line, "kind")), Event{type, object->get_object()});
}

void apply_all(ServiceDirectory& directory, const std::string& text) {
  for (const std::string_view line : meshdns::split(text, '\n')) {
    boost::system::error_code error;
    const json::value event = json::parse(line, error);
    if (!error && event.is_object()) apply(directory, event.get_object());
    check(directory.take_changes({}));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  ServiceDirectory directory("eu-1");
  for (const Kind kind : kKinds) directory.take(kind, Begin{});
  apply_all(directory, text);
  MESHDNS_CHECK(!directory.complete() && directory.take_changes({}).empty());
  for (const Kind kind : kKinds) directory.take(kind, Listed{});
  check(directory.take_changes({}));
  apply_all(directory, text);
  for (const Kind kind : kKinds) directory.take(kind, Begin{});
  for (const Kind kind : kKinds) directory.take(kind, Listed{});
  check(directory.take_changes({}));
  return 0;
}
