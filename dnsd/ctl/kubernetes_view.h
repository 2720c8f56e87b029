#pragma once

#include <string>
#include <utility>
#include <vector>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// Adds the rows of a status about clusters of Kubernetes.
/// reply: cleaned
void add_kubernetes(const v1::StatusReply& reply, std::vector<std::pair<std::string, std::string>>& rows);
/// Returns the first problem with a cluster of Kubernetes, in one line; empty = none.
std::string kubernetes_problem(const v1::StatusReply& reply);

}  // namespace meshdns::ctl
