#pragma once

#include <string>
#include <vector>

#include "dnsd/explain/answer.h"
#include "dnsd/topology/host_plan.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::explain {

/// Which endpoints stand differently, came or went, or have another weight. They are told apart by their addresses:
/// what is published knows no keys.
std::vector<v1::EndpointChange> endpoint_changes(const topology::HostPlan& before, const topology::HostPlan& after);

/// Both plans give every class of clients the same answers: neither their endpoints nor their policies differ.
bool is_same_for_answers(const topology::HostPlan& before, const topology::HostPlan& after);

/// What classes of clients get instead of what they got.
struct AnswerDifference {
  v1::AnswerChange change;
  bool nothing_serves = false;  // afterwards
};

/// What clients in these places get of one host. Places with the same change are told together.
/// text: how an answer is told
std::vector<AnswerDifference> answer_differences(const topology::HostPlan& before, const topology::HostPlan& after,
                                                 const std::vector<model::Locality>& seats,
                                                 topology::Geography geography, std::string (*text)(const Answer&));

}  // namespace meshdns::explain
