#include "common/identity/gate.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns::identity {
namespace {

using Uris = std::optional<std::vector<std::string>>;

Rules no_rules() { return *Rules::make({}, ""); }

std::string who(const Gate& gate, const Uris& certificate) {
  const auto caller = gate.caller(certificate);
  return caller ? text(caller->who()) : caller.error().message();
}

TEST(GateTest, a_closed_gate_needs_a_certificate) {
  const Gate gate(no_rules(), {"eu-1", {}, false});
  EXPECT_EQ(who(gate, std::nullopt), "a certificate is needed here (rule certificate)");
  EXPECT_EQ(who(gate, std::vector<std::string>()),
            "the certificate has no URI (subjectAltName) that says who it is of (rule identity)");
  EXPECT_EQ(who(gate, Uris({"spiffe://m/meshdns/node/eu-1/n7"})), "node eu-1/n7");
}

TEST(GateTest, the_caller_says_what_it_may) {
  const Gate gate(no_rules(), {"eu-1", {}, false});
  const auto node = gate.caller(Uris({"spiffe://m/meshdns/node/eu-1/n7"}));
  ASSERT_TRUE(node);
  EXPECT_TRUE(node->may({Verb::Report, "eu-1", "n7"}));
  EXPECT_FALSE(node->may({Verb::Report, "eu-1", "n8"}));
}

TEST(GateTest, an_open_gate_lets_in_who_shows_nothing) {
  const Gate gate(no_rules(), {"eu-1", {}, true});
  const auto nobody = gate.caller(std::nullopt);
  ASSERT_TRUE(nobody);
  EXPECT_TRUE(nobody->may({Verb::Report, "eu-1", "n7"}));
  EXPECT_EQ(who(gate, Uris({"spiffe://m/x"})).substr(0, 32), "certificate of spiffe://m/x: no ");
}

TEST(GateTest, an_authority_of_other_clusters_vouches_for_nobody_else) {
  const BoundAuthority us{"us-ca.pem", {"us-*", "ap-1"}};
  const Gate gate(no_rules(), {"eu-1", {}, false}, [&us](std::string_view chain) -> Result<const BoundAuthority*> {
    if (chain == "of eu") return nullptr;
    if (chain == "of us") return &us;
    return Error(Code::PermissionDenied, "not known");
  });
  const auto said = [&](const std::string& owner, const std::string& chain) {
    const auto caller = gate.caller(Uris({"spiffe://m/meshdns/" + owner}), "", chain);
    return caller ? text(caller->who()) : caller.error().message();
  };
  EXPECT_EQ(said("node/eu-1/n7", "of eu"), "node eu-1/n7");
  EXPECT_EQ(said("operator/admin/eve", "of eu"), "operator eve (admin)");
  EXPECT_EQ(said("federation/us-1/f1", "of us"), "federation us-1/f1");
  EXPECT_EQ(said("federation/ap-1/f1", "of us"), "federation ap-1/f1");
  const std::string why = ", but for clusters us-*, ap-1 only (rule authority)";
  EXPECT_EQ(said("node/eu-1/n7", "of us"), "the authority of us-ca.pem may not vouch for node eu-1/n7" + why);
  EXPECT_EQ(said("federation/ap-10/f1", "of us"),
            "the authority of us-ca.pem may not vouch for federation ap-10/f1" + why);
  EXPECT_EQ(said("operator/viewer/eve", "of us"),
            "the authority of us-ca.pem may not vouch for operator eve (viewer)" + why);
  EXPECT_EQ(said("node/us-1/n7", ""), "not known (rule authority)");
}

TEST(ExpectFederation, only_instances_of_the_cluster_are_accepted) {
  const ServerCheck check = expect_federation(no_rules(), "eu-1");
  EXPECT_TRUE(check({"spiffe://m/meshdns/federation/eu-1/f1"}));
  EXPECT_EQ(check({"spiffe://m/meshdns/federation/us-1/f1"}).error().message(),
            "it is federation us-1/f1, not the federation of eu-1");
  EXPECT_EQ(check({"spiffe://m/meshdns/node/eu-1/n7"}).error().message(),
            "it is node eu-1/n7, not the federation of eu-1");
  EXPECT_FALSE(check({}));
}

TEST(CheckOwn, a_daemon_has_a_certificate_of_its_own) {
  const auto said = [](const std::string& owner, const Identity& needed) {
    const auto fits = check_own(no_rules(), {"spiffe://m/meshdns/" + owner}, needed);
    return fits ? "fits" : fits.error().message();
  };
  const Identity n7{Role::Node, "eu-1", "n7"};
  EXPECT_EQ(said("node/eu-1/n7", n7), "fits");
  EXPECT_EQ(said("node/eu-1/n8", n7), "it is of node eu-1/n8, and node eu-1/n7 is needed");
  EXPECT_EQ(said("dns/eu-1/n7", n7), "it is of dns eu-1/n7, and node eu-1/n7 is needed");
  const Identity any_replica{Role::Dns, "eu-1", ""};
  EXPECT_EQ(said("dns/eu-1/edge", any_replica), "fits");
  EXPECT_EQ(said("dns/us-1/edge", any_replica), "it is of dns us-1/edge, and a dns certificate of eu-1 is needed");
  EXPECT_NE(said("thing/eu-1/n7", n7).find("certificate of spiffe://m/meshdns/thing/eu-1/n7"), std::string::npos);
}

}  // namespace
}  // namespace meshdns::identity
