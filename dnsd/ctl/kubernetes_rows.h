#pragma once

#include <string>
#include <utility>
#include <vector>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// Adds the rows of a status that say what a federation uses of the Kubernetes API: its lease, and its objects.
/// reply: printable
void add_lease_and_objects(const v1::StatusReply& reply, std::vector<std::pair<std::string, std::string>>& rows);

}  // namespace meshdns::ctl
