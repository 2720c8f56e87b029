#pragma once

#include <string>
#include <vector>

#include "dnsd/explain/answer.h"
#include "dnsd/topology/host_plan.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::explain {

/// Returns the endpoints that came, went, or have another state, weight or place. Endpoints are matched by address,
/// because published hosts do not know their keys.
std::vector<v1::EndpointChange> endpoint_changes(const topology::HostPlan& before, const topology::HostPlan& after);

/// Returns whether both plans give every class of clients the same answers: their endpoints and policies are equal.
bool is_same_for_answers(const topology::HostPlan& before, const topology::HostPlan& after);

/// A change of the answers for some classes of clients.
struct AnswerDifference {
  v1::AnswerChange change;
  bool nothing_serves = false;  // after the change
};

/// Returns how the answers of one host differ for clients in these places. Places with the same change share an entry.
/// text: returns the text of an answer
std::vector<AnswerDifference> answer_differences(const topology::HostPlan& before, const topology::HostPlan& after,
                                                 const std::vector<model::Locality>& places,
                                                 topology::Geography geography, std::string (*text)(const Answer&));

}  // namespace meshdns::explain
