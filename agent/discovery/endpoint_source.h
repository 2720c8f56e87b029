#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/discovered.h"

namespace meshdns::discovery {

/// What a source can say of itself.
struct SourceState {
  /// Whether endpoints() is complete. While it is not, the federation keeps endpoints of this source that are missing.
  bool listed = false;
  std::string error;  // for people on this node, one problem a line; a source may have problems and be listed

  friend bool operator==(const SourceState&, const SourceState&) = default;
};

/// A place from which this node's endpoints are known: files, registrations, containers. app::Sources joins them.
/// thread: the loop's
class EndpointSource {
 public:
  virtual ~EndpointSource() = default;
  /// The name of the source in status and reports, and Endpoint::source of its endpoints: "static", "local".
  virtual std::string_view name() const = 0;
  /// The endpoints, each key once; valid until the source changes. If the source cannot be read, the last good ones.
  virtual const std::vector<Discovered>& endpoints() const = 0;
  virtual SourceState state() const = 0;
};

}  // namespace meshdns::discovery
