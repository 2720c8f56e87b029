#pragma once

#include <string>

#include "common/base/result.h"
#include "dnsd/explain/scene.h"

namespace meshdns::explain {

/// A name that somebody asks about, and the host whose decision answers it.
struct Subject {
  std::string host;
  std::string role;  // what the name is for, if it is below the host: "_all.web.mesh.internal gives ..."; empty = it is
                     // the host
};

/// Finds the host that answers a name: the host with this name, otherwise the host that the name is below, if DNS
/// answers the name.
/// errors: NotFound: DNS does not have the name
Result<Subject> subject_of(const Scene& scene, const std::string& name);

}  // namespace meshdns::explain
