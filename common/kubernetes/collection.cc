#include "common/kubernetes/collection.h"

#include <vector>

#include "common/base/text.h"

namespace meshdns::kubernetes {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

bool is_unreserved(char c) {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/// Returns the path, `?`, and the selectors, each ended by `&`.
std::string start_of_target(const Collection& collection) {
  std::string out = collection.path + "?";
  if (!collection.field_selector.empty()) out += "fieldSelector=" + percent_encoded(collection.field_selector) + "&";
  if (!collection.label_selector.empty()) out += "labelSelector=" + percent_encoded(collection.label_selector) + "&";
  return out;
}

std::string watch_target(const Collection& collection, std::chrono::seconds length) {
  return start_of_target(collection) +
         "watch=1&allowWatchBookmarks=true&timeoutSeconds=" + std::to_string(length.count());
}

/// Returns the API group in a path: "/apis/GROUP/VERSION/..." or "/api/v1/..."; the latter's is empty.
std::string_view group_of(std::string_view path) {
  const auto parts = split(path, '/');
  return parts.size() > 2 && parts[1] == "apis" ? parts[2] : std::string_view();
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    }
  }
  return out;
}

std::string list_target(const Collection& collection, std::size_t page, std::string_view next) {
  std::string out = start_of_target(collection) + "limit=" + std::to_string(page);
  if (!next.empty()) out += "&continue=" + percent_encoded(next);
  return out;
}

std::string initial_watch_target(const Collection& collection, std::chrono::seconds length) {
  return watch_target(collection, length) + "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
}

std::string resumed_watch_target(const Collection& collection, std::string_view version, std::chrono::seconds length) {
  return watch_target(collection, length) + "&resourceVersion=" + percent_encoded(version);
}

std::string accept_of(const Collection& collection, Verb verb) {
  if (!collection.metadata_only) return "application/json";
  const std::string kind = verb == Verb::List ? "PartialObjectMetadataList" : "PartialObjectMetadata";
  return "application/json;as=" + kind + ";g=meta.k8s.io;v=v1";
}

std::string rule_of(const Collection& collection, Verb verb) {
  const std::string group(group_of(collection.path));
  return "apiGroups: [" + (group.empty() ? std::string("\"\"") : group) + "], resources: [" +
         std::string(resource_name(collection)) + "], verbs: [" + std::string(verb_name(verb)) + "]";
}

std::string_view verb_name(Verb verb) { return verb == Verb::List ? "list" : "watch"; }

std::string_view resource_name(const Collection& collection) {
  const std::string_view path = collection.path;
  return path.substr(path.rfind('/') + 1);
}

}  // namespace meshdns::kubernetes
