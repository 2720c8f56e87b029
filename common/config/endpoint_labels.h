#pragma once

#include <map>
#include <string>

#include "common/config/load.h"

namespace meshdns::config {

/// Reads one endpoint whose keys are labels, such as those of a container, by the rules of a file of endpoints.d. Dots
/// separate the keys of nested mappings:
///
///   service=web                       service: web
///   labels.version=v2                 labels: {version: v2}; the rest of the name is one key, with its dots
///   check.http.path=/healthz          checks: [{http: {path: /healthz}}]
///   check.http.status=200-299,401     checks: [{http: {status: [200-299, 401]}}]; or in brackets, as YAML has lists
///   check.none=                       checks: [{none: {}}]
///
/// labels:  by name, without the prefix that they have in common
/// name:    the file of the problems
/// returns: a file with this one endpoint, or all problems at once; their paths are names of labels, or empty if they
///          are about the endpoint as a whole
Loaded<v1::EndpointsFile> load_endpoint_labels(const std::map<std::string, std::string>& labels,
                                               const std::string& name);

}  // namespace meshdns::config
