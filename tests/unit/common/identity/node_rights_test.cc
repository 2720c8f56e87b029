#include "common/identity/node_rights.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace meshdns::identity {
namespace {

Prefix prefix(const std::string& text) { return *Prefix::parse(text); }
IpAddress address(const std::string& text) { return *IpAddress::parse(text); }

std::string said(const Result<void>& result) { return result ? "allowed" : result.error().message(); }

AgentRules within(const std::vector<std::string>& texts) {
  AgentRules out;
  out.prefixes.emplace();
  for (const std::string& text : texts) out.prefixes->push_back(prefix(text));
  return out;
}

NodeRights rights_of(AgentRules rules, std::string node = "n7") {
  rules.identities = true;
  return {std::make_shared<const AgentRules>(std::move(rules)), std::move(node)};
}

TEST(Glob, a_star_is_any_characters) {
  for (const auto& [pattern, text] : std::vector<std::pair<std::string, std::string>>{{"*", ""},
                                                                                      {"*", "web"},
                                                                                      {"web-*", "web-1"},
                                                                                      {"web-*", "web-"},
                                                                                      {"*-db", "a-db"},
                                                                                      {"a*b*c", "aXbYbZc"},
                                                                                      {"team-*", "TEAM-1"},
                                                                                      {"a", "a"},
                                                                                      {"", ""},
                                                                                      {"**", "x"},
                                                                                      {"*a*", "bab"}})
    EXPECT_TRUE(glob(pattern, text)) << pattern << " " << text;
  for (const auto& [pattern, text] : std::vector<std::pair<std::string, std::string>>{
           {"web-*", "web"}, {"", "a"}, {"a", ""}, {"a*b", "abc"}, {"*-db", "db"}, {"?", "a"}, {"a*b*c", "acb"}})
    EXPECT_FALSE(glob(pattern, text)) << pattern << " " << text;
}

TEST(Glob, costs_little_for_the_worst_pattern) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(glob(pattern + "b", std::string(10000, 'a')));
}

TEST(NodeRightsTest, without_allowed_prefixes_only_plausible_ones_count) {
  const NodeRights rights = rights_of({}, "n7");
  for (const std::string text :
       {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "fd00:1::/32", "fd00::1/128", "203.0.112.0/24"})
    EXPECT_TRUE(rights.claim(prefix(text))) << text;
  for (const std::string text : {"0.0.0.0/0", "10.0.0.0/7", "::/0", "fd00::/31", "8000::/1"})
    EXPECT_NE(said(rights.claim(prefix(text))).find("(rule wide-prefix)"), std::string::npos) << text;
  for (const std::string text :
       {"127.0.0.0/8", "127.0.0.1/32", "169.254.1.0/24", "224.0.0.0/8", "192.0.2.0/25", "2001:db8::/32",
        "2001:db8:1::/48", "::1/128", "fe80::/64", "ff02::/32", "203.0.113.0/24", "203.0.112.0/23"})
    EXPECT_NE(said(rights.claim(prefix(text))).find("(rule special-prefix)"), std::string::npos) << text;
}

TEST(NodeRightsTest, without_allowed_prefixes_no_address_is_for_documentation) {
  for (const std::string text : {"192.0.2.7", "198.51.100.1", "203.0.113.255", "2001:db8::7"}) {
    EXPECT_EQ(said(rights_of({}).claim(address(text))),
              text + ": it is for documentation, which needs allowedPrefixes (rule special-address)");
    EXPECT_TRUE(rights_of(within({"0.0.0.0/0", "::/0"})).claim(address(text))) << text;
  }
  EXPECT_TRUE(rights_of({}).claim(address("192.0.3.7")));
}

TEST(NodeRightsTest, with_allowed_prefixes_they_decide) {
  const NodeRights rights = rights_of(within({"10.0.0.0/16", "203.0.113.0/24"}), "n7");
  EXPECT_TRUE(rights.claim(prefix("10.0.1.0/24")));
  EXPECT_TRUE(rights.claim(prefix("203.0.113.0/24")));
  EXPECT_EQ(said(rights.claim(prefix("10.0.0.0/15"))),
            "10.0.0.0/15: it is outside allowedPrefixes of the cluster (rule allowed-prefixes)");
  EXPECT_FALSE(rights.claim(prefix("fd00::/64")));
  EXPECT_TRUE(rights.claim(address("10.0.255.255")));
  EXPECT_FALSE(rights.claim(address("10.1.0.0")));
}

TEST(NodeRightsTest, loopback_counts_only_where_the_mesh_is_on_one_machine) {
  AgentRules rules;
  EXPECT_FALSE(rights_of(rules).claim(prefix("127.0.0.0/8")));
  EXPECT_FALSE(rights_of(rules).claim(address("127.0.0.1")));
  rules.loopback = Loopback::Allowed;
  EXPECT_TRUE(rights_of(rules).claim(prefix("127.0.0.0/8")));
  EXPECT_TRUE(rights_of(rules).claim(address("127.0.0.1")));
  EXPECT_FALSE(rights_of(rules).claim(prefix("224.0.0.0/8")));
}

TEST(NodeRightsTest, the_first_row_that_names_the_node_decides) {
  AgentRules rules;
  rules.rows = {{{"web-*"}, {"shop", "team-*"}, {}}, {{"*"}, {"infra"}, {"dns", "ntp-*"}}};
  const NodeRights web = rights_of(rules, "web-1");
  EXPECT_TRUE(web.list("shop", "anything"));
  EXPECT_TRUE(web.list("team-a", "anything"));
  EXPECT_EQ(said(web.list("infra", "dns")),
            "infra/dns: row 1 of the cluster's agents, which names node web-1, does not allow it (rule agents)");
  const NodeRights other = rights_of(rules, "n7");
  EXPECT_TRUE(other.list("infra", "ntp-1"));
  EXPECT_FALSE(other.list("infra", "db"));
  EXPECT_TRUE(other.list("infra", "")) << "it claims no service";
  EXPECT_FALSE(other.list("shop", "dns"));
}

TEST(NodeRightsTest, rows_are_for_all_nodes_or_there_are_none) {
  AgentRules rules;
  EXPECT_TRUE(rights_of(rules).list("any", "thing"));
  rules.rows = {{{"web-*"}, {}, {}}};
  EXPECT_EQ(said(rights_of(rules).list("any", "thing")),
            "any/thing: no row of the cluster's agents names node n7 (rule agents)");
}

TEST(NodeRightsTest, an_endpoint_is_where_its_node_is) {
  const NodeRights rights = rights_of({}, "n7");
  const std::vector<IpAddress> own = {address("10.0.0.7")};
  const std::vector<Prefix> prefixes = {prefix("10.244.7.0/24")};
  EXPECT_TRUE(rights.answer(address("10.0.0.7"), own, prefixes));
  EXPECT_TRUE(rights.answer(address("10.244.7.9"), own, prefixes));
  EXPECT_EQ(said(rights.answer(address("10.0.0.8"), own, prefixes)),
            "10.0.0.8: it is neither an address of node n7 nor inside its prefixes (rule own-address)");
  for (const std::string text :
       {"0.0.0.0", "127.0.0.1", "224.0.0.5", "169.254.1.1", "255.255.255.255", "fe80::1", "::1"})
    EXPECT_NE(said(rights.answer(address(text), {address(text)}, {prefix("0.0.0.0/0")})).find("(rule special-address)"),
              std::string::npos)
        << text;
}

TEST(NodeRightsTest, on_one_machine_all_nodes_share_the_loopback_addresses) {
  AgentRules rules;
  rules.loopback = Loopback::Allowed;
  EXPECT_TRUE(rights_of(rules).answer(address("127.0.0.9"), {address("127.0.0.1")}, {}));
}

TEST(NodeRightsTest, without_identities_only_what_the_cluster_says_counts) {
  const auto plain = [](AgentRules rules) {
    return NodeRights(std::make_shared<const AgentRules>(std::move(rules)), "n7");
  };
  const NodeRights rights = plain(within({"10.0.0.0/16"}));
  EXPECT_TRUE(rights.free());
  EXPECT_TRUE(rights.claim(prefix("0.0.0.0/0")));
  EXPECT_TRUE(rights.claim(address("10.1.0.1")));
  EXPECT_TRUE(rights.answer(address("10.9.9.9"), {}, {}));
  EXPECT_FALSE(rights.quota());
  AgentRules rows;
  rows.rows = {{{"web-*"}, {}, {}}};
  EXPECT_FALSE(plain(rows).free());
  EXPECT_FALSE(plain(rows).list("shop", "web"));
  AgentRules quota;
  quota.quota = {.endpoints = 3, .prefixes = 2, .addresses = 1};
  EXPECT_FALSE(plain(quota).free());
  EXPECT_EQ(plain(quota).quota()->endpoints, 3U);
  EXPECT_EQ(rights_of({}).quota(), model::NodeQuota{});
  EXPECT_FALSE(rights_of({}).free());
}

}  // namespace
}  // namespace meshdns::identity
