#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/result.h"
#include "common/kubernetes/events.h"
#include "common/kubernetes/refusal.h"

namespace meshdns::kubernetes {

/// Tells the version up to which a watch has told everything.
struct Bookmark {
  std::string version;
  bool ends_list = false;  // the initial list is complete
};

/// What one line of a watch says.
using WatchEvent = std::variant<Event, Bookmark, Refusal>;

/// Parses a line of a watch: {"type":"ADDED","object":{...}}.
/// errors: DataLoss: the line is no JSON, its type is unknown, or its object lacks metadata.resourceVersion
Result<WatchEvent> parse_watch_event(std::string_view line);

/// A page of a list.
struct Page {
  std::vector<Event> events;  // the items, as Added; they lack `kind` and `apiVersion`
  std::string version;        // of the list: the same on all its pages
  std::string next;           // the `continue` of the next page; empty = there is none
};

/// Parses the answer to a list: {"kind":"PodList","metadata":{...},"items":[...]}.
/// errors: DataLoss: it is no such object
Result<Page> parse_page(std::string_view body);

}  // namespace meshdns::kubernetes
