#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/time/time.h"

namespace meshdns::kubernetes {

/// The objects that one watch is about.
struct Collection {
  std::string path;              // "/api/v1/pods", "/apis/discovery.k8s.io/v1/endpointslices"
  std::string field_selector{};  // "spec.nodeName=n1"; empty = all objects
  std::string label_selector{};
  bool metadata_only = false;  // the objects have nothing but kind, apiVersion and metadata
};

/// What a client does with a collection; the verbs of Kubernetes' roles.
enum class Verb : std::uint8_t { List, Watch };

/// Returns the target of a request for a page of the list.
/// next: the `continue` of the page before; empty = the first page
std::string list_target(const Collection& collection, std::size_t page, std::string_view next);
/// Returns the target of a watch that begins with all objects, and tells where they end.
std::string initial_watch_target(const Collection& collection, std::chrono::seconds length);
/// Returns the target of a watch that continues after a version.
std::string resumed_watch_target(const Collection& collection, std::string_view version, std::chrono::seconds length);

/// Returns the value of the header Accept.
std::string accept_of(const Collection& collection, Verb verb);

/// Returns the rule that a role needs: `apiGroups: [""], resources: [pods], verbs: [watch]`.
std::string rule_of(const Collection& collection, Verb verb);
std::string_view verb_name(Verb verb);
/// Returns "pods".
std::string_view resource_name(const Collection& collection);

/// Returns a text as the value of a query: all bytes except letters, digits and "-._~" become %XX.
/// source: RFC 3986 2.1, 2.3
std::string percent_encoded(std::string_view text);

}  // namespace meshdns::kubernetes
