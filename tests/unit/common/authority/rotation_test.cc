// The exchange of an authority: which certificates are accepted before, meanwhile and afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/authority/authority.h"
#include "common/authority/description.h"
#include "common/authority/key.h"
#include "common/authority/vouching.h"
#include "tests/unit/common/authority/verified.h"

namespace meshdns::authority {
namespace {

using identity::Identity;
using identity::Role;

constexpr const char* kStranger = "unable to get local issuer certificate";

class RotationTest : public testing::Test {
 protected:
  static std::string certificate_of(const Authority& authority, std::int64_t unix_seconds = kNow) {
    const auto made = sign(authority, *make_request(*make_key()), {Identity{Role::Node, "eu-1", "n7"}}, unix_seconds);
    EXPECT_TRUE(made) << made.error().message();
    return made.value_or("");
  }

  const Authority old_ = *make_authority("mesh.internal", kNow);
  const Authority both_ = *rotated(old_, kNow);
};

TEST_F(RotationTest, both_are_trusted_meanwhile_and_the_new_one_signs) {
  const std::string before = certificate_of(old_);
  const std::string after = certificate_of(both_);
  EXPECT_EQ(verified(before, both_.certificates), "ok");
  EXPECT_EQ(verified(after, both_.certificates), "ok");
  EXPECT_EQ(verified(after, old_.certificates), kStranger);
  const auto trusted = describe(both_.certificates);
  ASSERT_TRUE(trusted);
  ASSERT_EQ(trusted->size(), 2U);
  EXPECT_EQ(trusted->at(1).key_hash, describe(old_.certificates)->front().key_hash) << "the new one comes first";
  EXPECT_EQ(trusted->at(0).uris, trusted->at(1).uris);
  EXPECT_NE(trusted->at(0).subject, trusted->at(1).subject);
}

TEST_F(RotationTest, only_the_new_one_is_trusted_afterwards) {
  const auto left = signing_certificate(both_);
  ASSERT_TRUE(left) << left.error().message();
  EXPECT_EQ(verified(certificate_of(both_), *left), "ok");
  EXPECT_EQ(verified(certificate_of(old_), *left), kStranger);
}

// A crash may leave the two certificates with the old key.
TEST_F(RotationTest, the_key_decides_which_one_signs) {
  const Authority half{both_.certificates, old_.key};
  EXPECT_EQ(verified(certificate_of(half), old_.certificates), "ok");
  EXPECT_EQ(*signing_certificate(half), old_.certificates);
}

TEST_F(RotationTest, an_authority_vouches_for_what_it_has_signed) {
  const Authority other = *make_authority("mesh.internal", kNow);
  const std::string before = certificate_of(old_);
  const std::string after = certificate_of(both_);
  EXPECT_TRUE(vouches(both_.certificates, before));
  EXPECT_TRUE(vouches(both_.certificates, after));
  EXPECT_TRUE(vouches(old_.certificates, before));
  EXPECT_FALSE(vouches(old_.certificates, after));
  EXPECT_FALSE(vouches(other.certificates, before));
  // whoever sends the certificate of an authority with its own is not of that authority
  EXPECT_FALSE(vouches(other.certificates, before + other.certificates));
  EXPECT_FALSE(vouches(old_.certificates, certificate_of(other) + old_.certificates));
  EXPECT_FALSE(vouches("", before));
  EXPECT_FALSE(vouches(old_.certificates, ""));
}

TEST_F(RotationTest, one_exchange_is_finished_before_the_next) {
  const auto third = rotated(both_, kNow);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error(), Error(Code::FailedPrecondition,
                                 "two authorities are trusted already: the exchange before is not finished"));
  EXPECT_TRUE(rotated({*signing_certificate(both_), both_.key}, kNow));
}

TEST_F(RotationTest, an_expired_authority_can_be_replaced) {
  const std::int64_t late = kNow + 3651 * kDay;
  const auto next = rotated(old_, late);
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_EQ(verified(certificate_of(*next, late), next->certificates, late), "ok");
  EXPECT_EQ(*trust_domain_of(*next), "mesh.internal");
}

}  // namespace
}  // namespace meshdns::authority
