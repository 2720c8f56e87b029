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

/// Converts and checks an object. The result has the policy's defaults; hosts are in lower case without a dot at the
/// end.
/// errors: the first problem, with a message that begins with the field ("spec.hosts[0]: ...");
///         Unimplemented for fields that are not supported yet
Result<model::VirtualDestination> to_virtual_destination(const v1::Object& object);

/// Converts and checks an object. The result's locality also has the cluster, which is the object's name.
/// errors: as to_virtual_destination()
Result<model::Cluster> to_cluster(const v1::Object& object);

/// Converts and checks an object.
/// errors: as to_virtual_destination()
Result<model::Override> to_override(const v1::Object& object);

/// Writes a target like "cluster=eu-1" into a spec. A text that is not a target leaves the spec without one, and
/// to_override() then refuses it.
void set_target(v1::OverrideSpec& spec, std::string_view text);

/// Returns "VirtualDestination/shop/app-b", "Cluster/eu-1".
std::string object_key(const v1::Object& object);

model::Locality to_locality(const v1::Locality& locality);
model::Locality to_locality(const v1::LocalitySelector& locality);
model::Locality to_locality(const config::v1::Locality& locality);

}  // namespace meshdns::convert
