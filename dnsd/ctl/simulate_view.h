#pragma once

#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// Returns the supposed overrides: "down cluster=eu-1, up node=n1". Begins with "no other override" if the present ones
/// are ignored.
std::string supposition_text(const v1::SimulateRequest& request);

/// Returns the text for one client and one host: what the client gets, what it would get, and the endpoints concerned.
std::string simulation_view(const v1::SimulateRequest& request, const v1::SimulateReply& reply);

/// Returns the text for all hosts: what changes, first the hosts where nothing serves; then the counts.
std::string survey_view(const v1::SimulateRequest& request, const v1::SimulateReply& reply);

}  // namespace meshdns::ctl
