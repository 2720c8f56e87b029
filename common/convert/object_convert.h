#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/model/locality.h"
#include "common/model/objects.h"
#include "common/model/override.h"
#include "meshdns/config/v1/dnsd.pb.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::convert {

/// The object as the mesh uses it, with the policy's defaults; hosts in lower case without the dot at the end.
/// errors: the first thing that is wrong, whoever sent it; the message begins with the field ("spec.hosts[0]: ...");
///         Unimplemented for what is known but not supported yet
Result<model::VirtualDestination> to_virtual_destination(const v1::Object& object);

/// The locality states the cluster (the object's name) too. Errors as above.
Result<model::Cluster> to_cluster(const v1::Object& object);

/// Errors as above.
Result<model::Override> to_override(const v1::Object& object);

/// Writes "cluster=eu-1" into a spec. What is no target leaves none, for to_override() to refuse.
void set_target(v1::OverrideSpec& spec, std::string_view text);

/// "VirtualDestination/shop/app-b", "Cluster/eu-1"
std::string object_key(const v1::Object& object);

model::Locality to_locality(const v1::Locality& locality);
model::Locality to_locality(const v1::LocalitySelector& locality);
model::Locality to_locality(const config::v1::Locality& locality);

}  // namespace meshdns::convert
