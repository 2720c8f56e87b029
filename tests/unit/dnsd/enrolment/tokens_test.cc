#include "dnsd/enrolment/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/authority/digest.h"

namespace meshdns::enrolment {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kNow = 1'000'000;
const std::string kAuthority(64, 'a');

class TokensTest : public testing::Test {
 protected:
  std::string create(const TokenOrder& order) {
    ++made_;
    return tokens_
        .create(order, "0" + std::to_string(made_), std::string(64, 'b') + std::to_string(made_), kAuthority, kNow)
        .value();
  }
  std::string node(const std::string& names, std::uint32_t uses = 1) {
    return create({.role = identity::Role::Node, .cluster = "eu-1", .names = names, .uses = uses});
  }
  /// The identity, or the rule that refuses.
  std::string spend(const std::string& token, const std::string& name, const std::string& key = "key-1",
                    std::int64_t now = kNow, const std::string& where = "10.0.0.7") {
    const auto who = tokens_.spend(token, {name, key, IpAddress::parse(where).value()}, now);
    if (who) return identity::text(*who);
    const std::string& why = who.error().message();
    const auto rule = why.find("(rule ");
    return rule == std::string::npos ? why : why.substr(rule + 6, why.size() - rule - 7);
  }

  Tokens tokens_;
  int made_ = 0;
};

TEST_F(TokensTest, a_token_is_for_one_use_of_one_name) {
  const std::string token = node("n7");
  EXPECT_EQ(spend(token, "n8"), "token-name");
  EXPECT_EQ(spend(token, "N7"), "token-name");
  EXPECT_EQ(spend(token, "n7"), "node eu-1/n7");
  EXPECT_EQ(spend(token, "n7", "key-2"), "token-used");
}

TEST_F(TokensTest, whoever_lost_the_answer_may_ask_again_with_the_same_key) {
  const std::string token = node("n7");
  EXPECT_EQ(spend(token, "n7", "key-1"), "node eu-1/n7");
  EXPECT_EQ(spend(token, "n7", "key-1"), "node eu-1/n7");
  EXPECT_EQ(spend(token, "n7", "key-2"), "token-used");
}

TEST_F(TokensTest, a_pattern_is_for_several_nodes) {
  const std::string token = node("web-*", 2);
  EXPECT_EQ(spend(token, "web-1", "key-1"), "node eu-1/web-1");
  EXPECT_EQ(spend(token, "db-1", "key-2"), "token-name");
  EXPECT_EQ(spend(token, "web-", "key-2"), "token-name");  // no host name
  EXPECT_EQ(spend(token, "web-2/x", "key-2"), "token-name");
  EXPECT_EQ(spend(token, "web-2", "key-2"), "node eu-1/web-2");
  EXPECT_EQ(spend(token, "web-3", "key-3"), "token-used");
}

TEST_F(TokensTest, a_token_ends) {
  const std::string token = node("n7");
  EXPECT_EQ(spend(token, "n7", "key-1", kNow + 15 * 60), "token-expired");
  EXPECT_EQ(spend(token, "n7", "key-1", kNow + 15 * 60 - 1), "node eu-1/n7");
}

TEST_F(TokensTest, a_token_may_be_bound_to_addresses) {
  const std::string token = create({.cluster = "eu-1", .names = "n7", .prefixes = {*Prefix::parse("10.0.0.0/24")}});
  EXPECT_EQ(spend(token, "n7", "key-1", kNow, "10.0.1.1"), "token-prefix");
  EXPECT_EQ(spend(token, "n7", "key-1", kNow, "10.0.0.1"), "node eu-1/n7");
}

TEST_F(TokensTest, what_is_not_a_token_is_refused_without_saying_what_is_wrong) {
  const std::string token = node("n7");
  for (const std::string& wrong :
       {std::string(), std::string("x"), "meshdns1.01." + std::string(64, 'c') + "." + kAuthority,
        "meshdns1.77." + std::string(64, 'b') + "1." + kAuthority, "meshdns2" + token.substr(8), token + ".x",
        token.substr(0, token.size() - 1)})
    EXPECT_EQ(spend(wrong, "n7"), "token") << wrong;
  EXPECT_EQ(spend(" " + token + "\n", "n7"), "node eu-1/n7");
}

TEST_F(TokensTest, a_thousand_guesses_of_the_secret_are_a_thousand_refusals) {
  node("n7");
  for (int i = 0; i < 1000; ++i) {
    const std::string guess = "meshdns1.01." + authority::random_hex(32) + "." + kAuthority;
    ASSERT_EQ(spend(guess, "n7"), "token");
  }
}

TEST_F(TokensTest, a_revoked_token_ends_the_renewal_of_its_certificates_too) {
  const std::string token = node("n7", 2);
  EXPECT_EQ(spend(token, "n7", "key-1"), "node eu-1/n7");
  EXPECT_TRUE(tokens_.renew("key-1", kNow));
  EXPECT_TRUE(tokens_.renew("key-of-a-certificate-by-hand", kNow));
  EXPECT_TRUE(tokens_.revoke("01"));
  EXPECT_FALSE(tokens_.revoke("02"));
  EXPECT_EQ(spend(token, "n7", "key-2"), "token-revoked");
  EXPECT_FALSE(tokens_.renew("key-1", kNow));
}

TEST_F(TokensTest, tokens_are_kept_while_their_certificates_are_renewed) {
  const std::string token = node("n7");
  EXPECT_EQ(spend(token, "n7", "key-1"), "node eu-1/n7");
  node("n8");
  const std::int64_t later = kNow + Tokens::kKept;
  EXPECT_TRUE(tokens_.renew("key-1", later));
  EXPECT_TRUE(tokens_.drop_old(later + 15 * 60));
  ASSERT_EQ(tokens_.list().tokens_size(), 1);
  EXPECT_EQ(tokens_.list().tokens(0).names(), "n7");
  EXPECT_TRUE(tokens_.drop_old(later + Tokens::kKept));
}

TEST_F(TokensTest, secrets_are_not_kept) {
  const std::string token = node("n7");
  EXPECT_EQ(tokens_.list().SerializeAsString().find(std::string(64, 'b')), std::string::npos);
  Tokens again(tokens_.list());
  EXPECT_TRUE(again.spend(token, {"n7", "key-1", std::nullopt}, kNow));
}

TEST_F(TokensTest, orders_that_nobody_could_use_are_refused) {
  for (const TokenOrder& order :
       std::vector<TokenOrder>{{.cluster = "eu-1", .names = ""},
                               {.cluster = "eu.1", .names = "n7"},
                               {.cluster = "", .names = "n7"},
                               {.cluster = "eu-1", .names = "n 7"},
                               {.cluster = "eu-1", .names = "n7", .seconds = 0},
                               {.cluster = "eu-1", .names = "n7", .seconds = 31 * 24 * 3600},
                               {.cluster = "eu-1", .names = "n7", .uses = 0},
                               {.role = identity::Role::Dns, .cluster = "eu-1", .names = "edge-*"},
                               {.role = identity::Role::Operator, .names = "*"},
                               {.role = identity::Role::Federation, .cluster = "eu-1", .names = "f1"},
                               {.role = identity::Role::Anonymous, .names = "x"}})
    EXPECT_FALSE(tokens_.create(order, "aa", "bb", kAuthority, kNow)) << order.names;
  EXPECT_EQ(tokens_.list().tokens_size(), 0);
}

}  // namespace
}  // namespace meshdns::enrolment
