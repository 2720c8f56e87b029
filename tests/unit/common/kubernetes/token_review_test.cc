// What API servers answer to a TokenReview; the forms are those of a real API server 1.34.
#include "common/kubernetes/token_review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace meshdns::kubernetes {
namespace {

using testing::HasSubstr;

constexpr const char* kAudience = "meshdns-federation";

/// An answer with this status; `what` stands for it in a failure.
std::string review(const std::string& status) {
  return R"({"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","metadata":{"creationTimestamp":null},)"
         R"("spec":{"token":"a.b.c","audiences":["meshdns-federation"]},"status":)" +
         status + "}";
}

std::string accepted(const std::string& user, const std::string& audiences = R"(["meshdns-federation"])") {
  return review(R"({"authenticated":true,"user":)" + user + R"(,"audiences":)" + audiences + "}");
}

const std::string kUser =
    R"({"username":"system:serviceaccount:meshdns:meshdns-agent","uid":"63b6e6e5","groups":["system:serviceaccounts"],)"
    R"("extra":{"authentication.kubernetes.io/credential-id":["JTI=7447e3ff"],)"
    R"("authentication.kubernetes.io/node-name":["g-n1"],"authentication.kubernetes.io/node-uid":["67095f33"],)"
    R"("authentication.kubernetes.io/pod-name":["agent-g-n1"],"authentication.kubernetes.io/pod-uid":["e62a2ab0"]}})";

/// The user with another text in one place.
std::string user_with(const std::string& before, const std::string& after) {
  std::string out = kUser;
  const auto at = out.find(before);
  EXPECT_NE(at, std::string::npos) << before;
  return out.replace(at, before.size(), after);
}

std::string why(const std::string& body) {
  const auto found = read_token_review(body, kAudience);
  return found ? "accepted" : found.error().message();
}

TEST(TokenReview, the_question_quotes_what_it_is_given) {
  EXPECT_EQ(
      token_review_text("a\"b", "x"),
      R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"a\"b","audiences":["x"]}})");
}

TEST(TokenReview, an_accepted_token_names_account_node_and_pod) {
  const auto found = read_token_review(accepted(kUser), kAudience);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(*found, (ReviewedToken{"meshdns/meshdns-agent", "g-n1", "agent-g-n1", "e62a2ab0"}));
}

// API servers before 1.30 do not name the node, and a token of `kubectl create token` has no pod.
TEST(TokenReview, what_an_api_server_does_not_say_is_empty) {
  const auto found = read_token_review(accepted(R"({"username":"system:serviceaccount:a:b.c"})"), kAudience);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(*found, (ReviewedToken{"a/b.c", "", "", ""}));
}

TEST(TokenReview, a_refusal_has_the_reason_of_the_api_server) {
  EXPECT_EQ(
      why(review(R"({"user":{},"error":"[invalid bearer token, service account token has been invalidated]"})")),
      "service account token: the API server does not accept it: [invalid bearer token, service account token has "
      "been invalidated] (rule token-review)");
  EXPECT_EQ(why(review("{}")), "service account token: the API server does not accept it (rule token-review)");
  EXPECT_EQ(why(review("null")), "service account token: the API server does not accept it (rule token-review)");
  const std::string loud = why(review(R"({"authenticated":true,"error":")" + std::string(100'000, 'x') + R"("})"));
  EXPECT_THAT(loud, HasSubstr("(rule token-review)"));
  EXPECT_LT(loud.size(), 1000U);
  EXPECT_THAT(why(review(R"({"error":"a\u001b[2Jb"})")), HasSubstr(R"(a\u001b[2Jb)"));
}

TEST(TokenReview, the_audience_has_to_be_confirmed) {
  const std::string other =
      "service account token: it is not made for the audience meshdns-federation (rule token-audience)";
  for (const char* audiences : {"[]", "null", R"(["https://kubernetes.default.svc"])", R"(["meshdns-federation "])"})
    EXPECT_EQ(why(accepted(kUser, audiences)), other) << audiences;
  EXPECT_EQ(why(accepted(kUser, R"(["a","meshdns-federation"])")), "accepted");
}

TEST(TokenReview, other_users_are_no_service_accounts) {
  const std::string name = "system:serviceaccount:meshdns:meshdns-agent";
  for (const char* other :
       {"", "system:node:g-n1", "system:serviceaccount:meshdns", "system:serviceaccount::meshdns-agent",
        "system:serviceaccount:meshdns:", "system:serviceaccount:meshdns:a:b", "meshdns:meshdns-agent",
        "system:serviceaccount:meshdns/x:a", "system:serviceaccount:meshdns:a/b", "system:anonymous",
        "System:serviceaccount:meshdns:meshdns-agent", "system:serviceaccount:mesh.dns:a"})
    EXPECT_THAT(why(accepted(user_with(name, other))), HasSubstr("(rule service-account)")) << other;
}

TEST(TokenReview, several_values_of_a_claim_are_not_believed) {
  EXPECT_THAT(why(accepted(user_with(R"(["g-n1"])", R"(["g-n1","g-n2"])"))), HasSubstr("(rule token-pod)"));
  EXPECT_THAT(why(accepted(user_with(R"(["agent-g-n1"])", R"(["a","b"])"))), HasSubstr("(rule token-pod)"));
}

TEST(TokenReview, other_answers_are_damaged) {
  const std::vector<std::string> bodies = {"",
                                           "{",
                                           "[]",
                                           "null",
                                           R"({"kind":"Status","code":403})",
                                           R"({"kind":"TokenReviewList"})",
                                           R"({"status":{"authenticated":true}})",
                                           review("5"),
                                           review(R"({"authenticated":"true"})"),
                                           review(R"({"authenticated":1})"),
                                           accepted("7"),
                                           accepted(R"({"username":["system:serviceaccount:a:b"]})"),
                                           accepted(kUser, R"("meshdns-federation")"),
                                           accepted(user_with(R"(["g-n1"])", R"("g-n1")")),
                                           accepted(user_with(R"(["g-n1"])", "[1]")),
                                           accepted(user_with(R"(["g-n1"])", "[null]"))};
  for (const std::string& body : bodies) {
    const auto found = read_token_review(body, kAudience);
    ASSERT_FALSE(found) << body;
    EXPECT_EQ(found.error().code(), Code::DataLoss) << body << ": " << found.error().message();
  }
}

}  // namespace
}  // namespace meshdns::kubernetes
