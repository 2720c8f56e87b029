#include "common/identity/authorizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace meshdns::identity {
namespace {

const Identity kAnonymous;
const Identity kNode{Role::Node, "eu-1", "n7"};
const Identity kOtherNode{Role::Node, "us-1", "n7"};
const Identity kDns{Role::Dns, "eu-1", "edge"};
const Identity kOtherDns{Role::Dns, "us-1", "edge"};
const Identity kFederation{Role::Federation, "eu-1", "f1"};
const Identity kPeer{Role::Federation, "us-1", "f1"};
const Identity kStranger{Role::Federation, "ap-1", "f1"};
const Identity kViewer{Role::Operator, "", "grafana", Level::Viewer};
const Identity kOperator{Role::Operator, "", "bob", Level::Operator};
const Identity kAdmin{Role::Operator, "", "alice", Level::Admin};
const std::vector<Identity> kAll = {kAnonymous, kNode,     kOtherNode, kDns,      kOtherDns, kFederation,
                                    kPeer,      kStranger, kViewer,    kOperator, kAdmin};

const Request kReport{Verb::Report, "eu-1", "n7"};

Authorizer closed() { return Authorizer({"eu-1", {"us-1"}, false}); }

/// Returns the callers who may do something, of kAll.
std::vector<std::string> who_may(const Authorizer& authorizer, const Request& request) {
  std::vector<std::string> out;
  for (const Identity& identity : kAll)
    if (authorizer.allow(identity, request)) out.push_back(text(identity));
  return out;
}

using Names = std::vector<std::string>;

TEST(AuthorizerTest, each_verb_has_its_callers_and_no_others) {
  const Authorizer authorizer = closed();
  EXPECT_EQ(who_may(authorizer, kReport), Names{"node eu-1/n7"});
  EXPECT_EQ(who_may(authorizer, {Verb::Replicate, "", ""}), Names{"dns eu-1/edge"});
  EXPECT_EQ(who_may(authorizer, {Verb::Stand, "", ""}), Names{"federation eu-1/f1"});
  EXPECT_EQ(who_may(authorizer, {Verb::Peer, "", ""}), Names{"federation us-1/f1"});
  EXPECT_EQ(who_may(authorizer, {Verb::View, "", ""}),
            (Names{"operator grafana (viewer)", "operator bob (operator)", "operator alice (admin)"}));
  EXPECT_EQ(who_may(authorizer, {Verb::Steer, "", ""}), (Names{"operator bob (operator)", "operator alice (admin)"}));
  EXPECT_EQ(who_may(authorizer, {Verb::Change, "", ""}), Names{"operator alice (admin)"});
  EXPECT_EQ(who_may(authorizer, {Verb::Credentials, "", ""}), Names{"operator alice (admin)"});
}

TEST(AuthorizerTest, nobody_reports_for_somebody_else) {
  const Authorizer authorizer = closed();
  const std::vector<std::pair<std::string, std::string>> others = {
      {"eu-1", "n8"}, {"us-1", "n7"}, {"eu-1", "N7"}, {"EU-1", "n7"}, {"eu-1", ""}, {"", ""}, {"eu-1", "n7/x"}};
  for (const auto& [cluster, node] : others)
    EXPECT_FALSE(authorizer.allow(kNode, {Verb::Report, cluster, node})) << node;
  EXPECT_FALSE(authorizer.allow(kOtherNode, {Verb::Report, "us-1", "n7"})) << "this federation is of eu-1";
}

TEST(AuthorizerTest, the_refusal_names_caller_and_rule) {
  const auto problem = [](const Identity& identity, const Request& request) {
    const auto allowed = closed().allow(identity, request);
    return allowed ? std::string("allowed") : allowed.error().message();
  };
  EXPECT_EQ(problem(kNode, {Verb::Report, "eu-1", "n8"}), "node eu-1/n7 may not report as eu-1/n8 (rule own-node)");
  EXPECT_EQ(problem(kAnonymous, kReport), "anonymous may not report as eu-1/n7 (rule role-node)");
  EXPECT_EQ(problem(kPeer, {Verb::Replicate, "", ""}), "federation us-1/f1 may not watch as a replica (rule role-dns)");
  EXPECT_EQ(problem(kStranger, {Verb::Peer, "", ""}), "federation ap-1/f1 may not watch as a peer (rule peers)");
  EXPECT_EQ(problem(kOperator, {Verb::Change, "", ""}),
            "operator bob (operator) may not change objects (rule level-admin)");
  EXPECT_EQ(closed().allow(kNode, {Verb::View, "", ""}).error().code(), Code::PermissionDenied);
}

TEST(AuthorizerTest, where_anybody_may_register_only_those_without_certificate_are_free) {
  const Authorizer open({"eu-1", {}, true});
  EXPECT_TRUE(open.allow(kAnonymous, kReport));
  EXPECT_TRUE(open.allow(kAnonymous, {Verb::Change, "", ""}));
  EXPECT_FALSE(open.allow(kOtherNode, kReport)) << "a certificate binds also where none is needed";
}

}  // namespace
}  // namespace meshdns::identity
