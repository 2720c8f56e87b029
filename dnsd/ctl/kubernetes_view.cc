#include "dnsd/ctl/kubernetes_view.h"

#include "common/base/text.h"

namespace meshdns::ctl {

void add_kubernetes(const v1::StatusReply& reply, std::vector<std::pair<std::string, std::string>>& rows) {
  for (const v1::KubernetesInfo& info : reply.kubernetes()) {
    const std::string counts = counted(info.services(), "service") + "   " + counted(info.endpoints(), "endpoint") +
                               "   " + counted(info.agents(), "agent") + " with pods";
    rows.emplace_back("kubernetes", info.cluster() + "   " + info.server() + "   " +
                                        (info.listed() ? counts : std::string("not listed yet")));
    for (const std::string& problem : info.problems()) rows.emplace_back("", "PROBLEM: " + problem);
    for (const std::string& note : info.notes()) rows.emplace_back("", note);
  }
  for (const v1::ForwarderInfo& info : reply.forwarders()) {
    rows.emplace_back("forwarders", info.service() + "   " + std::to_string(info.addresses()) + " addresses" +
                                        (info.problem().empty() ? "" : "   PROBLEM: " + info.problem()));
  }
}

std::string kubernetes_problem(const v1::StatusReply& reply) {
  for (const v1::KubernetesInfo& info : reply.kubernetes()) {
    if (!info.problems().empty()) return "kubernetes of " + info.cluster() + ": " + info.problems(0);
  }
  for (const v1::ForwarderInfo& info : reply.forwarders()) {
    if (!info.problem().empty()) return "forwarders of " + info.service() + ": " + info.problem();
  }
  return "";
}

}  // namespace meshdns::ctl
