#include "dnsd/ctl/ca_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshdns::ctl {
namespace {

using identity::Identity;
using identity::Level;
using identity::Role;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int64_t kNow = 1795806000;  // 2026-11-27T19:00:00Z

std::string issued(const Identity& identity, const std::string& prefix) {
  return issued_view({identity, prefix + ".pem", prefix + ".key", "ca/ca.pem", kNow});
}

TEST(IssuedView, has_the_lines_of_the_configuration) {
  EXPECT_EQ(issued({Role::Node, "eu-1", "n7"}, "n7"),
            "node eu-1/n7: n7.pem and n7.key, until 2026-11-27T19:00:00Z\n"
            "copy them and ca/ca.pem to the folder of agent.yaml, and add:\n"
            "federation:\n"
            "  tls: {certificate: n7.pem, key: n7.key, ca: ca.pem}\n");
  EXPECT_THAT(issued({Role::Dns, "eu-1", "edge"}, "out/edge"),
              HasSubstr("meshdnsd.yaml of the replica, and add:\n"
                        "replica:\n  tls: {certificate: edge.pem, key: edge.key, ca: ca.pem}\n"));
  EXPECT_THAT(issued({Role::Federation, "eu-1", "fed"}, "fed"),
              HasSubstr("meshdnsd.yaml of the federation, and add:\n"
                        "federation:\n  tls: {certificate: fed.pem, key: fed.key, client_ca: ca.pem}\n"));
}

TEST(IssuedView, an_operator_gets_a_command) {
  EXPECT_EQ(issued({Role::Operator, "", "alice", Level::Viewer}, "alice"),
            "operator alice (viewer): alice.pem and alice.key, until 2026-11-27T19:00:00Z\n"
            "copy them and ca/ca.pem to whoever it is, who then calls:\n"
            "meshdnsctl --server HOST:7400 --ca ca.pem --certificate alice.pem --key alice.key status\n");
}

TEST(IssuedView, strange_file_names_are_quoted) {
  EXPECT_THAT(issued({Role::Node, "eu-1", "n7"}, "my, node"),
              HasSubstr("{certificate: \"my, node.pem\", key: \"my, node.key\", ca: ca.pem}"));
}

authority::Description node() {
  return {.subject = "CN=node eu-1/n7",
          .uris = {"spiffe://mesh.internal/meshdns/node/eu-1/n7"},
          .not_before = kNow - 300,
          .not_after = kNow + 86400,
          .serial = "0f",
          .key_hash = "ab12"};
}

TEST(CertificateView, says_whose_it_is_and_until_when) {
  EXPECT_EQ(certificate_view(node(), "", kNow),
            "node eu-1/n7\n"
            "  uri        spiffe://mesh.internal/meshdns/node/eu-1/n7\n"
            "  subject    CN=node eu-1/n7\n"
            "  valid      2026-11-27T18:55:00Z to 2026-11-28T19:00:00Z (1d left)\n"
            "  serial     0f\n"
            "  key        sha256:ab12\n");
  EXPECT_THAT(certificate_view(node(), "", kNow + 2 * 86400), HasSubstr("(expired 1d ago)\n"));
  EXPECT_THAT(certificate_view(node(), "", kNow - 301), HasSubstr("(not valid yet)\n"));
  authority::Description endless = node();
  endless.not_after = 253402300799;  // 9999-12-31
  EXPECT_THAT(certificate_view(endless, "", kNow), HasSubstr(" left)\n"));
}

TEST(CertificateView, authorities_and_addresses_are_named) {
  authority::Description own{.is_authority = true, .uris = {"spiffe://mesh.internal"}};
  EXPECT_THAT(certificate_view(own, ", signs", kNow), StartsWith("authority of mesh.internal, signs\n"));
  own.uris.clear();
  own.subject = "CN=mesh ca";
  EXPECT_THAT(certificate_view(own, "", kNow), StartsWith("authority of CN=mesh ca\n"));
  authority::Description federation = node();
  federation.addresses = {"fed.example", "10.0.9.1"};
  EXPECT_THAT(certificate_view(federation, "", kNow), HasSubstr("  addresses  fed.example, 10.0.9.1\n"));
}

TEST(CertificateView, a_certificate_of_nobody_says_why) {
  authority::Description stranger = node();
  stranger.uris = {"https://example.org/\x1b[2J"};
  stranger.subject = "CN=\x1b[2J";
  const std::string text = certificate_view(stranger, "", kNow);
  EXPECT_THAT(text, StartsWith("nobody: certificate of https://example.org/\\"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  stranger.uris.clear();
  EXPECT_THAT(certificate_view(stranger, "", kNow), StartsWith("nobody: the certificate has no URI"));
}

}  // namespace
}  // namespace meshdns::ctl
