#include "dnsd/enrolment/pod_identity.h"

#include <gtest/gtest.h>

#include <string>

namespace meshdns::enrolment {
namespace {

using kubernetes::ReviewedToken;

const ServiceAccounts kAccounts = {{"meshdns/meshdns-agent", "edge/agent"}, {"meshdns/meshdns-dns"}};
const ReviewedToken kAgent = {"meshdns/meshdns-agent", "n1", "agent-x", "uid-1"};
const ReviewedToken kReplica = {"meshdns/meshdns-dns", "n1", "dns-0", "uid-2"};

/// "node eu-1/n1", or the rule that refuses.
std::string who(const ReviewedToken& token, const std::string& wanted) {
  const auto found = identity_of(token, kAccounts, "eu-1", wanted);
  if (found) return identity::text(*found);
  EXPECT_EQ(found.error().code(), Code::PermissionDenied);
  const std::string& why = found.error().message();
  return why.substr(why.rfind("(rule "));
}

TEST(PodIdentity, an_agent_is_that_of_its_node_and_a_replica_has_its_pods_name) {
  EXPECT_EQ(who(kAgent, "n1"), "node eu-1/n1");
  EXPECT_EQ(who({"edge/agent", "ip-10-0-0-1.ec2.internal", "a", "u"}, "ip-10-0-0-1.ec2.internal"),
            "node eu-1/ip-10-0-0-1.ec2.internal");
  EXPECT_EQ(who(kReplica, "dns-0"), "dns eu-1/dns-0");
}

TEST(PodIdentity, nobody_gets_another_name) {
  for (const char* other : {"", "n2", "N1", "n11", "n", "n1.", "n1/x", "agent-x", "eu-1/n1"})
    EXPECT_EQ(who(kAgent, other), "(rule token-node)") << other;
  for (const char* other : {"", "dns-1", "DNS-0", "n1", "dns"})
    EXPECT_EQ(who(kReplica, other), "(rule token-pod)") << other;
}

TEST(PodIdentity, other_service_accounts_are_nobody) {
  for (const char* account :
       {"", "shop/web", "meshdns/meshdns", "meshdns/meshdns-agent2", "meshdns-agent", "Meshdns/meshdns-agent"})
    EXPECT_EQ(who({account, "n1", "agent-x", "uid-1"}, "n1"), "(rule service-account)") << account;
}

TEST(PodIdentity, an_old_api_server_and_a_token_without_a_pod_are_refused) {
  EXPECT_EQ(who({kAgent.account, "", "agent-x", "uid-1"}, "n1"), "(rule token-node)");
  EXPECT_EQ(who({kAgent.account, "", "agent-x", "uid-1"}, ""), "(rule token-node)");
  EXPECT_EQ(who({kAgent.account, "n1", "", ""}, "n1"), "(rule token-pod)");
  EXPECT_EQ(who({kAgent.account, "n1", "agent-x", ""}, "n1"), "(rule token-pod)");
  EXPECT_EQ(who({kReplica.account, "", "dns-0", "uid-2"}, "dns-0"), "dns eu-1/dns-0") << "a replica needs no node";
}

TEST(PodIdentity, a_name_that_no_certificate_can_have_is_refused) {
  EXPECT_EQ(who({kAgent.account, "a b", "agent-x", "uid-1"}, "a b"), "(rule token-node)");
  EXPECT_EQ(who({kAgent.account, "../x", "agent-x", "uid-1"}, "../x"), "(rule token-node)");
}

}  // namespace
}  // namespace meshdns::enrolment
