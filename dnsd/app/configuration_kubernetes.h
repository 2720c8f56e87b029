#pragma once

#include <string>

#include "common/base/result.h"
#include "common/model/locality.h"
#include "dnsd/app/configuration.h"

namespace meshdns::dnsd::app {

/// Returns the part of a locality that a configuration names: "cluster".
/// requires: the name is checked
model::Part part_named(const std::string& name);

/// Reads what a configuration says of the Kubernetes API: its settings, the clusters that are followed, and the trusted
/// forwarders that are Services.
/// path: of the file, for messages
/// out:  has its file and folder already
/// errors: a server is wrong, or none is named and the process is in no pod
Result<void> read_kubernetes(const std::string& path, Configuration& out);

}  // namespace meshdns::dnsd::app
