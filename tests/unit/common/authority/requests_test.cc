// What an authority takes from a request, and which requests it refuses.
#include "tests/unit/common/authority/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/authority/authority.h"
#include "common/authority/description.h"
#include "common/authority/key.h"
#include "tests/unit/common/authority/verified.h"

namespace meshdns::authority {
namespace {

using identity::Identity;
using identity::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Identity kNode{Role::Node, "eu-1", "n7"};

const Authority& own_authority() {
  static const Authority made = *make_authority("mesh.internal", kNow);
  return made;
}

std::string outcome(const std::string& request) {
  const auto made = sign(own_authority(), request, {kNode}, kNow);
  return made ? verified(*made, own_authority().certificates) : made.error().message();
}
std::string outcome_of_key(const Key& key) { return outcome(request_of(key, key)); }

TEST(Requests, one_that_asks_for_other_names_gets_none_of_them) {
  const Key key = key_of("prime256v1");
  const std::string request =
      request_of(key, key, "URI:spiffe://mesh.internal/meshdns/operator/admin/eve, DNS:fed.eu-1.example, IP:10.0.9.1");
  const auto made = sign(own_authority(), request, {kNode}, kNow);
  ASSERT_TRUE(made) << made.error().message();
  const auto about = describe(*made);
  ASSERT_TRUE(about);
  EXPECT_THAT(about->front().uris, ElementsAre("spiffe://mesh.internal/meshdns/node/eu-1/n7"));
  EXPECT_THAT(about->front().addresses, IsEmpty());
  EXPECT_EQ(about->front().subject, "CN=node eu-1/n7");
  EXPECT_FALSE(about->front().is_authority);
  EXPECT_EQ(verified(*made, own_authority().certificates), "ok");
  EXPECT_NE(verified(*made, own_authority().certificates, kNow, End::Server), "ok") << "it asked for serverAuth";
}

TEST(Requests, strong_keys_are_taken) {
  for (const std::string kind : {"RSA-2048", "prime256v1", "secp384r1", "secp521r1", "ED25519"})
    EXPECT_EQ(outcome_of_key(key_of(kind)), "ok") << kind;
}

TEST(Requests, weak_and_strange_keys_are_refused) {
  EXPECT_EQ(outcome_of_key(key_of("RSA-1024")), "the key is refused: RSA of 1024 bits; it may have 2048 to 8192");
  EXPECT_EQ(outcome_of_key(key_of("RSA-2047")), "the key is refused: RSA of 2047 bits; it may have 2048 to 8192");
  EXPECT_EQ(outcome_of_key(key_of("secp256k1")),
            "the key is refused: the curve secp256k1; it may be P-256, P-384 or P-521");
  EXPECT_EQ(outcome_of_key(key_of("secp224r1")),
            "the key is refused: the curve secp224r1; it may be P-256, P-384 or P-521");
  EXPECT_EQ(outcome_of_key(key_of("ED448")), "the key is refused: it is neither RSA, ECDSA nor Ed25519");
  EXPECT_EQ(outcome_of_key(key_of_numbers()), "the key is refused: its curve has no name");
}

TEST(Requests, the_sender_must_have_the_key) {
  const Key own = key_of("prime256v1");
  const Key others = key_of("prime256v1");
  EXPECT_EQ(outcome(request_of(others, own)), "the key is refused: the request is not signed with it");
  EXPECT_EQ(outcome(request_of(others, key_of("ED25519"))), "the key is refused: the request is not signed with it");
  EXPECT_EQ(outcome(request_of(own, own)), "ok");
}

TEST(Requests, other_texts_are_refused) {
  const Key key = key_of("prime256v1");
  const std::string request = request_of(key, key);
  for (const std::string& text : {std::string(), std::string("x"), request.substr(0, request.size() / 2),
                                  own_authority().certificates, own_authority().key})
    EXPECT_EQ(outcome(text), "no certificate signing request in PEM") << text;
  std::string damaged = request;
  damaged[damaged.size() / 2] = damaged[damaged.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_NE(outcome(damaged), "ok");
}

TEST(Requests, an_honest_end_asks_for_nothing) {
  const auto key = make_key();
  ASSERT_TRUE(key);
  EXPECT_THAT(*key, HasSubstr("BEGIN PRIVATE KEY"));
  const auto request = make_request(*key);
  ASSERT_TRUE(request);
  EXPECT_EQ(outcome(*request), "ok");
  EXPECT_NE(*make_key(), *key);
  const auto none = make_request("x");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), Error(Code::InvalidArgument, "no private key, without a passphrase, in PEM"));
}

}  // namespace
}  // namespace meshdns::authority
