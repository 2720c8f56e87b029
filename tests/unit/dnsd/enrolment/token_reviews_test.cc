#include "dnsd/enrolment/token_reviews.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/time/sim_clock.h"

namespace meshdns::enrolment {
namespace {

using kubernetes::Answer;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kAccepted =
    R"({"kind":"TokenReview","status":{"authenticated":true,"audiences":["fed"],)"
    R"("user":{"username":"system:serviceaccount:a:b","extra":{"authentication.kubernetes.io/pod-name":["p"]}}}})";
constexpr const char* kRefused = R"({"kind":"TokenReview","status":{"user":{},"error":"expired"}})";

/// Plays the API server, and keeps what callers are told.
class TokenReviewsTest : public testing::Test {
 protected:
  void start(TokenReviews::Options options) {
    options.audience = "fed";
    reviews_.emplace(std::move(options),
                     ApiServer{"api:443",
                               [this](kubernetes::Request request, std::function<void(Result<Answer>)> done) {
                                 EXPECT_EQ(request.method, "POST");
                                 EXPECT_EQ(request.target, "/apis/authentication.k8s.io/v1/tokenreviews");
                                 bodies_.push_back(request.body);
                                 open_.push_back(std::move(done));
                                 return kubernetes::Call();
                               },
                               [this] { ++expired_; }},
                     clock_, clock_);
  }
  void review(const std::string& token, const std::string& address = "10.0.0.1") {
    reviews_->review(token, address, [this, token](const Result<kubernetes::ReviewedToken>& found) {
      told_.push_back(token + ": " + (found ? found->account : found.error().message()));
      if (!found) codes_.push_back(found.error().code());
    });
  }
  /// Answers the oldest question that is open.
  void answer(Result<Answer> with) {
    ASSERT_FALSE(open_.empty());
    const auto done = std::move(open_.front());
    open_.erase(open_.begin());
    done(std::move(with));
  }
  void answer(int status, std::string body) { answer(Answer{status, std::move(body), {}}); }

  SimClock clock_;
  std::vector<std::string> bodies_;
  std::vector<std::function<void(Result<Answer>)>> open_;
  int expired_ = 0;
  std::vector<std::string> told_;
  std::vector<Code> codes_;
  std::optional<TokenReviews> reviews_;
};

TEST_F(TokenReviewsTest, each_caller_gets_its_answer) {
  start({});
  review("t1");
  review("t2");
  EXPECT_THAT(bodies_.front(), HasSubstr(R"("token":"t1","audiences":["fed"])"));
  answer(201, kAccepted);
  answer(201, kRefused);
  EXPECT_THAT(told_,
              ElementsAre("t1: a/b",
                          "t2: service account token: the API server does not accept it: expired (rule token-review)"));
  EXPECT_THAT(codes_, ElementsAre(Code::PermissionDenied));
  EXPECT_EQ(reviews_->counts().accepted, 1U);
  EXPECT_EQ(reviews_->counts().refused, 1U);
  EXPECT_EQ(reviews_->waiting(), 0U);
  EXPECT_EQ(clock_.pending(), 0U);
}

TEST_F(TokenReviewsTest, a_few_are_asked_about_and_the_others_wait) {
  start({.audience = "", .at_once = 1, .waiting = 100, .timeout = 8s});
  for (const char* token : {"t1", "t2", "t3"}) review(token);
  EXPECT_EQ(bodies_.size(), 1U);
  answer(201, kAccepted);
  EXPECT_EQ(bodies_.size(), 2U);
  EXPECT_THAT(bodies_.back(), HasSubstr("t2"));
  answer(201, kAccepted);
  answer(201, kAccepted);
  EXPECT_EQ(told_.size(), 3U);
}

TEST_F(TokenReviewsTest, those_beyond_the_bounds_come_again) {
  start({.audience = "", .at_once = 1, .waiting = 16, .timeout = 8s});
  for (int i = 0; i < 3; ++i) review("t" + std::to_string(i), "10.0.0.9");
  EXPECT_THAT(told_, ElementsAre("t2: service account token: too many of this address wait to be reviewed"));
  for (int i = 0; i < 15; ++i) review("u" + std::to_string(i), "10.0.1." + std::to_string(i));
  EXPECT_THAT(told_.back(), "u14: service account token: too many wait to be reviewed");
  EXPECT_THAT(codes_, ElementsAre(Code::Unavailable, Code::Unavailable));
  EXPECT_EQ(reviews_->counts().turned_away, 2U);
  EXPECT_EQ(reviews_->waiting(), 16U);
  EXPECT_EQ(reviews_->trouble(), "") << "the API server is not to blame";
}

TEST_F(TokenReviewsTest, an_api_server_that_does_not_answer_is_a_trouble_until_it_answers) {
  start({.audience = "", .at_once = 1, .waiting = 100, .timeout = 8s});
  review("t1");
  review("t2");  // waits for the first
  clock_.advance(8s);
  EXPECT_THAT(told_, ElementsAre("t1: service account token: the API server api:443 has not answered within 8s",
                                 "t2: service account token: the API server api:443 has not answered within 8s"));
  EXPECT_THAT(codes_, ElementsAre(Code::Unavailable, Code::Unavailable));
  EXPECT_EQ(reviews_->counts().failed, 2U);
  EXPECT_THAT(reviews_->trouble(), HasSubstr("has not answered"));
  review("t3");
  answer(201, kAccepted);  // too late: nobody waits for it
  EXPECT_THAT(reviews_->trouble(), HasSubstr("has not answered"));
  open_.erase(open_.begin());
  answer(201, kRefused);
  EXPECT_EQ(reviews_->trouble(), "");
}

TEST_F(TokenReviewsTest, whatever_else_comes_is_no_answer) {
  start({});
  for (int i = 0; i < 5; ++i) review("t" + std::to_string(i), "10.0.0." + std::to_string(i));
  answer(403, R"({"kind":"Status","reason":"Forbidden","message":"cannot create resource"})");
  EXPECT_EQ(told_.back(),
            "t0: service account token: the API server api:443 reviews none: 403 Forbidden: cannot create resource");
  answer(401, "");
  EXPECT_EQ(expired_, 1);
  answer(201, "{");
  answer(Error(Code::Unavailable, "connecting: refused"));
  EXPECT_EQ(told_.back(), "t3: service account token: api:443: connecting: refused");
  answer(200, R"({"kind":"Status"})");
  EXPECT_EQ(reviews_->counts().failed, 5U);
  EXPECT_THAT(codes_, testing::Each(Code::Unavailable));
}

TEST_F(TokenReviewsTest, what_can_be_no_token_costs_no_question) {
  start({});
  for (const std::string& token : {std::string(), std::string(" "), std::string("a b"), std::string("a\nb"),
                                   std::string("a\0b", 3), std::string(TokenReviews::kLongestToken + 1, 'x')})
    review(token);
  EXPECT_TRUE(bodies_.empty());
  EXPECT_THAT(codes_, testing::Each(Code::PermissionDenied));
  EXPECT_EQ(told_.size(), 6U);
}

TEST_F(TokenReviewsTest, the_end_answers_everybody) {
  start({.audience = "", .at_once = 1, .waiting = 100, .timeout = 8s});
  review("t1");
  review("t2");
  reviews_->end();
  review("t3");
  EXPECT_EQ(told_.size(), 3U);
  EXPECT_THAT(codes_, testing::Each(Code::Unavailable));
  EXPECT_EQ(clock_.pending(), 0U);
}

}  // namespace
}  // namespace meshdns::enrolment
