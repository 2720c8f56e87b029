#pragma once

#include <string>
#include <vector>

#include "agent/app/configuration.h"
#include "common/metrics/samples.h"
#include "common/model/endpoint.h"

// Where this node is, and who says so: `locality` of agent.yaml, with `auto` the machine, and the Node object of
// Kubernetes.

namespace meshdns::agent::app {

/// Returns who gave the node its place, in this order: "agent.yaml, cloud-init (aws), Kubernetes".
/// described: the node as reported, with what Kubernetes says of it
/// returns:   with `auto` and without any place "unknown: " and why; empty = nobody was asked
std::string place_source(const Configuration& configuration, const model::Node& described);

/// Logs what `locality: auto` has found. Logs nothing without it.
void log_place(const Configuration& configuration);

/// Appends the metric of `locality: auto`. Appends nothing without it.
void collect_place(const Configuration& configuration, const model::Node& described, std::vector<metrics::Sample>& out);

}  // namespace meshdns::agent::app
