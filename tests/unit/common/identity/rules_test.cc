#include "common/identity/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace meshdns::identity {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Rules rules_of(std::vector<Rule> rules, std::string trust_domain = "") {
  auto made = Rules::make(std::move(rules), std::move(trust_domain));
  EXPECT_TRUE(made) << made.error().message();
  return *made;
}

std::string who(const Rules& rules, const std::string& uri) {
  const auto found = rules.identify({uri});
  return found ? text(*found) : "refused: " + found.error().message();
}

const Rule kCorp{"spiffe://corp/agent/*/*", Role::Node, "{1}", "{2}", ""};

TEST(OwnForm, each_role_is_read) {
  const Rules rules = rules_of({});
  EXPECT_EQ(who(rules, "spiffe://m/meshdns/node/eu-1/n7"), "node eu-1/n7");
  EXPECT_EQ(who(rules, "spiffe://m/meshdns/dns/eu-1/edge"), "dns eu-1/edge");
  EXPECT_EQ(who(rules, "spiffe://m/meshdns/federation/eu-1/f1"), "federation eu-1/f1");
  EXPECT_EQ(who(rules, "spiffe://m/meshdns/operator/admin/alice"), "operator alice (admin)");
  EXPECT_EQ(who(rules, "spiffe://m/meshdns/operator/viewer/grafana"), "operator grafana (viewer)");
}

TEST(OwnForm, what_is_written_is_read_back) {
  const Rules rules = rules_of({});
  for (const Identity& identity :
       {Identity{Role::Node, "eu-1", "n7"}, Identity{Role::Dns, "eu-1", "edge"},
        Identity{Role::Federation, "us-1", "f2"}, Identity{Role::Operator, "", "alice", Level::Operator}}) {
    const auto found = rules.identify({uri(identity, "mesh.internal")});
    ASSERT_TRUE(found) << text(identity);
    EXPECT_EQ(*found, identity);
  }
}

TEST(OwnForm, tricks_are_refused) {
  const Rules rules = rules_of({});
  for (const std::string uri :
       {"spiffe://m/meshdns/node/eu-1", "spiffe://m/meshdns/node/eu-1/n7/x", "spiffe://m/meshdns/Node/eu-1/n7",
        "spiffe://m/MESHDNS/node/eu-1/n7", "spiffe://m/meshdns/anonymous/eu-1/n7", "spiffe://m/meshdns/root/eu-1/n7",
        "spiffe://m/meshdns/node/eu.1/n7", "spiffe://m/meshdns/node/eu-1/n_7", "spiffe://m/meshdns/node/eu-1/-n7",
        "spiffe://m/meshdns/node/eu-1/n7.", "spiffe://m/meshdns/operator/root/alice",
        "spiffe://m/meshdns/operator/Admin/a", "spiffe://m/x/meshdns/node/eu-1/n7",
        "spiffe://m/meshdns/node/eu-1/../n7", "spiffe://m/meshdns/node/eu-1%2fn7/x"})
    EXPECT_THAT(who(rules, uri), HasSubstr("refused: certificate of " + uri)) << uri;
}

TEST(OwnForm, only_one_trust_domain_counts_if_one_is_given) {
  const Rules rules = rules_of({}, "mesh.internal");
  EXPECT_EQ(who(rules, "spiffe://mesh.internal/meshdns/node/eu-1/n7"), "node eu-1/n7");
  EXPECT_EQ(
      who(rules, "spiffe://evil/meshdns/node/eu-1/n7"),
      "refused: certificate of spiffe://evil/meshdns/node/eu-1/n7: no rule of identity.rules matches, and the trust "
      "domain is not mesh.internal");
}

TEST(RulesTest, a_certificate_has_exactly_one_uri) {
  const Rules rules = rules_of({});
  const auto none = rules.identify(std::vector<std::string>());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(),
            Error(Code::PermissionDenied, "the certificate has no URI (subjectAltName) that says who it is of"));
  const auto two = rules.identify({"spiffe://m/meshdns/node/eu-1/n7", "spiffe://m/meshdns/operator/admin/eve"});
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().message(), HasSubstr("it has 2 URIs, and exactly one is needed"));
  EXPECT_FALSE(rules.identify({"spiffe://m/meshdns/node/eu-1/n7", "spiffe://m/meshdns/node/eu-1/n7"}));
}

TEST(RulesTest, the_first_rule_that_matches_decides) {
  const Rules rules = rules_of({{"spiffe://corp/agent/eu-1/special", Role::Dns, "eu-1", "edge", ""}, kCorp});
  EXPECT_EQ(who(rules, "spiffe://corp/agent/eu-1/special"), "dns eu-1/edge");
  EXPECT_EQ(who(rules, "spiffe://corp/agent/eu-1/n7"), "node eu-1/n7");
  EXPECT_EQ(who(rules, "spiffe://corp/meshdns/node/eu-1/n8"), "node eu-1/n8");
  EXPECT_THAT(who(rules, "spiffe://corp/agent/eu-1/n7/x"), HasSubstr("no rule of identity.rules matches"));
}

TEST(RulesTest, a_rule_that_matches_and_does_not_fit_refuses) {
  const Rules rules = rules_of(
      {{"spiffe://corp/*/*", Role::Node, "{1}", "{2}", ""}, {"spiffe://corp/ns.web/*", Role::Node, "eu-1", "{1}", ""}});
  EXPECT_EQ(who(rules, "spiffe://corp/ns.web/n7"),
            "refused: certificate of spiffe://corp/ns.web/n7: rule spiffe://corp/*/*: cluster \"ns.web\": expected a "
            "label of "
            "letters, digits, hyphens");
}

TEST(RulesTest, shapes_of_other_infrastructures) {
  const Rules rules = rules_of({
      {"spiffe://prod.example/ns/*/sa/meshdns-*", Role::Node, "{1}", "{2}", ""},
      {"spiffe://prod.example/spire/agent/k8s_psat/*/*", Role::Node, "{1}", "{2}", ""},
      {"spiffe://*/people/*", Role::Operator, "", "{2}", "viewer"},
  });
  EXPECT_EQ(who(rules, "spiffe://prod.example/ns/eu-1/sa/meshdns-n7"), "node eu-1/n7");
  EXPECT_EQ(who(rules, "spiffe://prod.example/spire/agent/k8s_psat/eu-1/3f0c"), "node eu-1/3f0c");
  EXPECT_EQ(who(rules, "spiffe://a.b/people/alice"), "operator alice (viewer)");
}

TEST(RulesTest, rules_that_cannot_work_are_refused_before_anybody_connects) {
  const auto problem = [](Rule rule) {
    const auto made = Rules::make({std::move(rule)}, "");
    return made ? std::string("taken") : made.error().message();
  };
  EXPECT_EQ(problem({"spiffe://corp/*", Role::Node, "eu-1", "{2}", ""}),
            "uri \"spiffe://corp/*\": \"{2}\": the uri has 1 *");
  EXPECT_EQ(problem({"", Role::Node, "a", "b", ""}), "uri \"\": must not be empty");
  EXPECT_EQ(problem({"x/*a*", Role::Node, "a", "b", ""}), "uri \"x/*a*\": a segment has more than one *");
  EXPECT_EQ(problem({"x", Role::Node, "", "b", ""}), "uri \"x\": needs a cluster");
  EXPECT_EQ(problem({"x", Role::Node, "a", "", ""}), "uri \"x\": needs a name");
  EXPECT_EQ(problem({"x", Role::Node, "a", "b", "admin"}), "uri \"x\": only an operator has a level");
  EXPECT_EQ(problem({"x", Role::Operator, "", "b", ""}), "uri \"x\": an operator needs a level");
  EXPECT_EQ(problem({"x", Role::Operator, "a", "b", "admin"}), "uri \"x\": an operator has no cluster");
  EXPECT_EQ(problem({"x/*", Role::Operator, "", "{1}@corp", "admin"}),
            "uri \"x/*\": operator \"x@corp\": in a certificate a name may only have letters, digits, . - _");
  EXPECT_EQ(problem({"*/*/*/*/*/*/*/*/*/*", Role::Node, "a", "b", ""}),
            "uri \"*/*/*/*/*/*/*/*/*/*\": has more than 9 *");
}

TEST(Check, a_name_that_no_uri_can_carry_is_nobodys) {
  for (const std::string name : {"alice", "ci_2", "Bob", "a.b-c"})
    EXPECT_TRUE(check(Identity{Role::Operator, "", name, Level::Admin})) << name;
  for (const std::string name : {"alice@example.org", "..", ".", "a%2fb", "a:b"})
    EXPECT_EQ(check(Identity{Role::Operator, "", name, Level::Admin}).error().message(),
              "operator \"" + name + "\": in a certificate a name may only have letters, digits, . - _");
  for (const std::string name : {"alice smith", "", "a/b"})
    EXPECT_FALSE(check(Identity{Role::Operator, "", name, Level::Admin})) << name;
}

TEST(Match, a_star_stays_in_its_segment) {
  EXPECT_THAT(match("a/*/c", "a/b/c").value_or(std::vector<std::string_view>()), ElementsAre("b"));
  EXPECT_THAT(match("a/x-*-y", "a/x-1-y").value_or(std::vector<std::string_view>()), ElementsAre("1"));
  for (const std::string text : {"a//c", "a/b/d/c", "a/c", "b/b/c", "a/b/cc", "a/b/"})
    EXPECT_FALSE(match("a/*/c", text)) << text;
  EXPECT_FALSE(match("a/xx*xx", "a/xxx"));
  EXPECT_TRUE(match("a", "a"));
  EXPECT_FALSE(match("a", "b"));
}

}  // namespace
}  // namespace meshdns::identity
