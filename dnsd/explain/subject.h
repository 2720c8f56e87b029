#pragma once

#include <string>

#include "common/base/result.h"
#include "dnsd/explain/scene.h"

namespace meshdns::explain {

/// A name that somebody asks about, and the host whose decision stands behind its answer.
struct Subject {
  std::string host;
  std::string role;  // of a name below a host: "_all.web.mesh.internal lists ..."; empty = it is the host itself
};

/// Finds the host behind a name: the host of this name, else the one that it is below, where DNS answers the name.
/// errors: NotFound: DNS has no such name either
Result<Subject> subject_of(const Scene& scene, const std::string& name);

}  // namespace meshdns::explain
