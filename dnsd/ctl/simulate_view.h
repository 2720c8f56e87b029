#pragma once

#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// "down cluster=eu-1, up node=n1"; "no override" where those that there are are left out
std::string supposition_text(const v1::SimulateRequest& request);

/// One client of one host: what it gets, what it would get, and which endpoints that concerns.
std::string simulation_view(const v1::SimulateRequest& request, const v1::SimulateReply& reply);

/// All hosts: what changes, where nothing serves first; then the counts.
std::string survey_view(const v1::SimulateRequest& request, const v1::SimulateReply& reply);

}  // namespace meshdns::ctl
