#pragma once

#include <string>

#include "common/model/objects.h"
#include "common/model/records.h"
#include "dnsd/topology/plan.h"

namespace meshdns::topology {

// Names of groups of endpoints: what they have in common that selectors ask for first.

std::string service_group(const std::string& ns, const std::string& service);
std::string label_group(const std::string& ns, const std::string& name, const std::string& value);
std::string namespace_group(const std::string& ns);
/// Where a selector looks: the narrowest group that holds all that it can match.
std::string group_of(const model::ServiceSelector& selector, const std::string& own_namespace);

/// The automatic host of a service in a zone; empty = it has none.
std::string auto_host(const HostNaming& naming, const model::ServiceKey& service, const std::string& zone);

}  // namespace meshdns::topology
