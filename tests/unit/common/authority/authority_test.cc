#include "common/authority/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <set>

#include "common/authority/description.h"
#include "common/authority/key.h"
#include "common/authority/pem.h"
#include "common/identity/rules.h"
#include "tests/unit/common/authority/verified.h"

namespace meshdns::authority {
namespace {

using identity::Identity;
using identity::Level;
using identity::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

const Identity kNode{Role::Node, "eu-1", "n7"};
const Identity kFederation{Role::Federation, "eu-1", "fed"};

class AuthorityTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { authority_ = new Authority(*make_authority("mesh.internal", kNow)); }
  static void TearDownTestSuite() { delete authority_; }

  static Result<std::string> signed_for(const Order& order, std::int64_t unix_seconds = kNow) {
    return sign(*authority_, *make_request(*make_key()), order, unix_seconds);
  }
  static std::string refused(const Order& order, std::int64_t unix_seconds = kNow) {
    const auto made = signed_for(order, unix_seconds);
    return made ? "signed" : made.error().message();
  }
  static Description about(const std::string& certificate) {
    const auto found = describe(certificate);
    EXPECT_TRUE(found) << found.error().message();
    return found->front();
  }
  /// Returns a part of the certificate as OpenSSL reads it.
  template <class Read>
  static auto read(const std::string& certificate, Read part) {
    return part(read_certificates(certificate)->front().get());
  }

  static inline Authority* authority_ = nullptr;
};

TEST_F(AuthorityTest, it_signs_ends_and_no_other_authorities) {
  const Description own = about(authority_->certificates);
  EXPECT_TRUE(own.is_authority);
  EXPECT_THAT(own.uris, ElementsAre("spiffe://mesh.internal"));
  EXPECT_THAT(own.subject, StartsWith("CN=meshdns authority "));
  EXPECT_EQ(own.not_before, kNow - 300);
  EXPECT_EQ(own.not_after, kNow + 3650 * kDay);
  EXPECT_EQ(read(authority_->certificates, X509_get_pathlen), 0);
  EXPECT_EQ(read(authority_->certificates, X509_get_key_usage), std::uint32_t{KU_KEY_CERT_SIGN | KU_CRL_SIGN});
  EXPECT_EQ(read(authority_->certificates, [](X509* it) { return X509_verify(it, X509_get0_pubkey(it)); }), 1);
}

TEST_F(AuthorityTest, names_that_cannot_be_a_trust_domain_are_refused) {
  for (const std::string name : {"", "Mesh.internal", "a/b", "mesh internal", "mesh:443", "mesh,DNS:x", "a\nb"}) {
    const auto made = make_authority(name, kNow);
    ASSERT_FALSE(made) << name;
    EXPECT_THAT(made.error().message(), HasSubstr("expected lower-case letters, digits, . - _"));
  }
  EXPECT_TRUE(make_authority(std::string(255, 'a'), kNow));
  EXPECT_FALSE(make_authority("mesh.internal", kNow, 0s));
}

TEST_F(AuthorityTest, a_certificate_says_whose_it_is) {
  const auto rules = identity::Rules::make({}, "mesh.internal");
  ASSERT_TRUE(rules);
  for (const Identity& identity :
       {kNode, kFederation, Identity{Role::Dns, "us-1", "edge.a"}, Identity{Role::Operator, "", "alice", Level::Viewer},
        Identity{Role::Operator, "", "ci_2", Level::Operator}, Identity{Role::Operator, "", "Bob", Level::Admin}}) {
    const auto made = signed_for({identity});
    ASSERT_TRUE(made) << made.error().message();
    const auto found = rules->identify(about(*made).uris);
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(*found, identity);
    EXPECT_EQ(about(*made).subject, "CN=" + identity::text(identity));
    EXPECT_EQ(verified(*made, authority_->certificates), "ok") << identity::text(identity);
  }
}

TEST_F(AuthorityTest, only_a_federation_is_a_server) {
  const auto node = signed_for({kNode});
  const auto federation = signed_for({kFederation});
  ASSERT_TRUE(node && federation);
  EXPECT_EQ(read(*node, X509_get_extended_key_usage), std::uint32_t{XKU_SSL_CLIENT});
  EXPECT_EQ(read(*federation, X509_get_extended_key_usage), std::uint32_t{XKU_SSL_CLIENT | XKU_SSL_SERVER});
  EXPECT_EQ(read(*node, X509_get_key_usage), std::uint32_t{KU_DIGITAL_SIGNATURE});
  EXPECT_EQ(verified(*federation, authority_->certificates, kNow, End::Server), "ok");
  EXPECT_THAT(verified(*node, authority_->certificates, kNow, End::Server), HasSubstr("certificate purpose"));
  EXPECT_FALSE(about(*node).is_authority);
}

TEST_F(AuthorityTest, a_federation_has_the_addresses_that_were_asked_for) {
  const auto made = signed_for({kFederation, {"Fed.EU-1.example.", "10.0.9.1", "2001:db8::1"}});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_THAT(about(*made).addresses, ElementsAre("fed.eu-1.example", "10.0.9.1", "2001:db8::1"));
  EXPECT_EQ(read(*made, [](X509* it) { return X509_check_ip_asc(it, "10.0.9.1", 0); }), 1);
  EXPECT_EQ(read(*made, [](X509* it) { return X509_check_host(it, "fed.eu-1.example", 0, 0, nullptr); }), 1);
  EXPECT_EQ(read(*made, [](X509* it) { return X509_check_host(it, "other.example", 0, 0, nullptr); }), 0);
  for (const std::string address : {"", "*.example", "a b", "10.0.9.1:7400", "https://a", "a,URI:b"})
    EXPECT_EQ(refused({kFederation, {address}}), "address \"" + address + "\": expected a DNS name or an IP address");
  EXPECT_EQ(refused({kNode, {"10.0.9.1"}}), "only the certificate of a federation has addresses");
}

TEST_F(AuthorityTest, identities_that_a_certificate_cannot_name_are_refused) {
  EXPECT_EQ(refused({Identity{}}), "a certificate needs an owner");
  EXPECT_THAT(refused({Identity{Role::Node, "eu.1", "n7"}}), StartsWith("cluster \"eu.1\": expected a label"));
  EXPECT_THAT(refused({Identity{Role::Node, "eu-1", "n7/x"}}), StartsWith("node \"n7/x\": expected a host name"));
  EXPECT_THAT(refused({Identity{Role::Dns, "eu-1", ""}}), StartsWith("dns \"\": expected a host name"));
  for (const std::string name : {"alice smith", "", "a/b"})
    EXPECT_THAT(refused({Identity{Role::Operator, "", name}}), HasSubstr("1 to 253 printable characters without /"));
  for (const std::string name : {"alice@example.org", "..", ".", "a%2fb"})
    EXPECT_EQ(refused({Identity{Role::Operator, "", name}}),
              "operator \"" + name + "\": in a certificate a name may only have letters, digits, . - _");
}

TEST_F(AuthorityTest, the_longest_names_fit) {
  const std::string label(63, 'a');
  const Identity node{Role::Node, label, label + "." + label + "." + label + "." + std::string(61, 'a')};
  const auto made = signed_for({node});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_THAT(about(*made).subject, SizeIs(3 + 64));
  EXPECT_THAT(about(*made).uris, ElementsAre(identity::uri(node, "mesh.internal")));
}

TEST_F(AuthorityTest, a_certificate_lasts_as_long_as_was_asked_for_but_not_longer_than_the_authority) {
  const std::int64_t end = kNow + 3650 * kDay;
  EXPECT_EQ(about(*signed_for({kNode})).not_before, kNow - 300);
  EXPECT_EQ(about(*signed_for({kNode})).not_after, kNow + kDay);
  EXPECT_EQ(about(*signed_for({kNode, {}, kIssuedLifetime})).not_after, kNow + 90 * kDay);
  EXPECT_EQ(about(*signed_for({kNode, {}, kIssuedLifetime}, end - kDay)).not_after, end);
  EXPECT_EQ(about(*signed_for({kNode}, kNow - 10)).not_before, kNow - 300) << "not before the authority";
  EXPECT_EQ(refused({kNode, {}, 0s}), "a certificate lasts a second at least");
  EXPECT_EQ(refused({kNode, {}, -1h}), "a certificate lasts a second at least");
  const auto made = signed_for({kNode});
  EXPECT_EQ(verified(*made, authority_->certificates, kNow - 299), "ok");
  EXPECT_EQ(verified(*made, authority_->certificates, kNow + kDay + 1), "certificate has expired");
}

TEST_F(AuthorityTest, one_that_is_not_valid_signs_nothing) {
  EXPECT_EQ(refused({kNode}, kNow + 3650 * kDay), "the authority has expired on 2036-11-24T19:00:00Z");
  EXPECT_EQ(refused({kNode}, kNow - 301), "the authority is not valid before 2026-11-27T18:55:00Z");
  const auto made = signed_for({kNode}, kNow - 301);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::FailedPrecondition);
}

TEST_F(AuthorityTest, serial_numbers_are_random) {
  std::set<std::string> serials;
  for (int i = 0; i < 50; ++i) serials.insert(about(*signed_for({kNode})).serial);
  EXPECT_THAT(serials, SizeIs(50));
  std::size_t longest = 0;
  for (const std::string& serial : serials) {
    EXPECT_FALSE(serial.starts_with('-'));
    longest = std::max(longest, serial.size());
  }
  EXPECT_EQ(longest, 32U);
}

TEST_F(AuthorityTest, certificates_of_another_authority_are_not_accepted) {
  const auto other = make_authority("mesh.internal", kNow);
  ASSERT_TRUE(other);
  EXPECT_EQ(verified(*signed_for({kNode}), other->certificates), "unable to get local issuer certificate");
}

TEST_F(AuthorityTest, what_is_no_authority_signs_nothing) {
  const auto key = make_key();
  const auto end = sign(*authority_, *make_request(*key), {kNode}, kNow);
  ASSERT_TRUE(end);
  const auto problem = [](const Authority& authority) {
    const auto made = sign(authority, *make_request(*make_key()), {kNode}, kNow);
    return made ? "signed" : made.error().message();
  };
  EXPECT_EQ(problem({*end, *key}), "the authority's certificate may not sign others");
  EXPECT_EQ(problem({authority_->certificates, *key}), "the authority's key is not the key of its certificate");
  EXPECT_EQ(problem({"x", *key}), "the authority's certificate: no certificate in PEM");
  EXPECT_EQ(problem({authority_->certificates, "x"}),
            "the authority's key: no private key, without a passphrase, in PEM");
  EXPECT_EQ(
      problem({authority_->certificates + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", *key}),
      "the authority's certificate: a certificate is damaged");
}

}  // namespace
}  // namespace meshdns::authority
