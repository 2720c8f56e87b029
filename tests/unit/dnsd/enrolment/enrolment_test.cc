#include "dnsd/enrolment/enrolment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "common/authority/authority.h"
#include "common/authority/description.h"
#include "common/authority/digest.h"
#include "common/authority/folder.h"
#include "common/authority/key.h"
#include "tests/support/temporary_folder.h"

namespace meshdns::enrolment {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

constexpr std::int64_t kToday = 1'800'000'000;
constexpr std::int64_t kDay = 24 * 60 * 60;

class EnrolmentTest : public testing::Test {
 protected:
  EnrolmentTest() {
    const auto authority = authority::make_authority("mesh.internal", kToday - kDay, std::chrono::hours(24 * 365));
    EXPECT_TRUE(authority::create_folder(folder_.path("ca"), authority.value()));
    request_ = authority::make_request(authority::make_key().value()).value();
  }

  Enrolment open(Duration lifetime) const {
    return Enrolment::open({.authority = folder_.path("ca"),
                            .tokens = folder_.path("tokens"),
                            .cluster = "eu-1",
                            .lifetime = lifetime})
        .value();
  }
  static std::string token_for(Enrolment& enrolment, const std::string& node, std::int64_t now) {
    v1::TokenRequest order;
    order.mutable_create()->set_role("node");
    order.mutable_create()->set_names(node);
    return enrolment.token(order, now).value().token();
  }
  /// Asks for a certificate of node n7 with a token; without one, renews the certificate that it has.
  std::string enroll(Enrolment& enrolment, const std::string& token, std::int64_t now, const std::string& name = "n7") {
    v1::EnrollRequest request;
    request.set_token(token);
    request.set_name(name);
    request.set_certificate_request(request_);
    const identity::Identity node{identity::Role::Node, "eu-1", "n7"};
    const std::string key = authority::key_digest(authority::proven_key(request_)->get());
    const auto done =
        enrolment.enroll(request, {.peer = "10.0.0.7:1", .where = {}, .who = node, .key_hash = key}, TimePoint(), now);
    if (done) certificate_ = done->certificate();
    return done ? "signed" : done.error().message();
  }

  static identity::Proof nobody() { return {.peer = "10.0.0.7:1", .where = {}, .who = {}, .key_hash = {}}; }

  test::TemporaryFolder folder_;
  std::string request_;
  std::string certificate_;  // the last one
};

TEST_F(EnrolmentTest, a_revoked_token_is_remembered_for_as_long_as_its_certificates_live) {
  auto enrolment = open(std::chrono::hours(10 * 24));
  const std::string token = token_for(enrolment, "n7", kToday);
  EXPECT_EQ(enroll(enrolment, token, kToday), "signed");
  v1::TokenRequest revocation;
  revocation.set_revoke(enrolment.token({}, kToday)->tokens(0).id());
  EXPECT_TRUE(enrolment.token(revocation, kToday));
  token_for(enrolment, "n8", kToday + 9 * kDay);  // drops old tokens
  EXPECT_THAT(enroll(enrolment, "", kToday + 9 * kDay), HasSubstr("(rule token-revoked)"));
  token_for(enrolment, "n9", kToday + 30 * kDay);
  EXPECT_EQ(enrolment.token({}, kToday + 30 * kDay)->tokens_size(), 1);
}

TEST_F(EnrolmentTest, whoever_asks_again_at_once_costs_no_signature) {
  auto enrolment = open(std::chrono::hours(24));
  EXPECT_EQ(enroll(enrolment, token_for(enrolment, "n7", kToday), kToday), "signed");
  const std::string first = certificate_;
  const auto written = fs::last_write_time(folder_.path("tokens"));
  EXPECT_EQ(enroll(enrolment, "", kToday + 59), "signed");
  EXPECT_EQ(certificate_, first);
  EXPECT_EQ(fs::last_write_time(folder_.path("tokens")), written);
  EXPECT_EQ(enroll(enrolment, "", kToday + 60), "signed");
  EXPECT_NE(certificate_, first);
}

TEST_F(EnrolmentTest, a_short_life_is_renewed_in_time) {
  auto enrolment = open(std::chrono::seconds(20));
  EXPECT_EQ(enroll(enrolment, token_for(enrolment, "n7", kToday), kToday), "signed");
  const std::string first = certificate_;
  EXPECT_EQ(enroll(enrolment, "", kToday + 1), "signed");
  EXPECT_NE(certificate_, first);
}

// A certificate that a pod has got is not renewed for whoever kept it after the pod's end.
TEST_F(EnrolmentTest, a_pods_certificate_says_so_and_only_a_living_pod_renews_it) {
  auto enrolment = open(std::chrono::hours(24));
  v1::EnrollRequest request;
  request.set_name("n7");
  request.set_service_account_token("a.b.c");
  request.set_certificate_request(request_);
  const identity::Identity node{identity::Role::Node, "eu-1", "n7"};
  const auto signed_one = enrolment.enroll_pod(request, nobody(), node, TimePoint(), kToday);
  ASSERT_TRUE(signed_one) << signed_one.error().message();
  const auto about = authority::describe(signed_one->certificate()).value().front();
  EXPECT_TRUE(about.of_pod);
  EXPECT_EQ(about.uris.front(), "spiffe://mesh.internal/meshdns/node/eu-1/n7");
  const std::string key = authority::key_digest(authority::proven_key(request_)->get());
  request.clear_service_account_token();
  const auto kept = enrolment.enroll(request, {.peer = "", .where = {}, .who = node, .key_hash = key, .of_pod = true},
                                     TimePoint(), kToday + 100);
  EXPECT_THAT(kept.error().message(), HasSubstr("(rule pod-alive)"));
  request.set_service_account_token("a.b.c");
  EXPECT_TRUE(enrolment.enroll_pod(request, nobody(), node, TimePoint(), kToday + 100));
}

TEST_F(EnrolmentTest, a_pod_gets_nothing_without_a_review_a_key_or_identity_kubernetes) {
  auto enrolment = open(std::chrono::hours(24));
  v1::EnrollRequest request;
  request.set_name("n7");
  request.set_service_account_token("a.b.c");
  const identity::Identity node{identity::Role::Node, "eu-1", "n7"};
  const Error refused(Code::PermissionDenied, "why (rule token-node)");
  const auto why = [&](const Result<identity::Identity>& who) {
    return enrolment.enroll_pod(request, nobody(), who, TimePoint(), kToday).error().message();
  };
  EXPECT_EQ(why(refused), "why (rule token-node)");
  EXPECT_THAT(why(node), HasSubstr("certificate_request"));
  EXPECT_THAT(enrolment.enroll(request, nobody(), TimePoint(), kToday).error().message(),
              HasSubstr("(rule service-account)"));
  request.set_token("x");
  EXPECT_EQ(enrolment.enroll(request, nobody(), TimePoint(), kToday).error().message(),
            "token and service_account_token: only one of them");
}

TEST_F(EnrolmentTest, a_long_name_is_refused_before_it_is_repeated) {
  auto enrolment = open(std::chrono::hours(24));
  const std::string token = token_for(enrolment, "n*", kToday);
  EXPECT_EQ(enroll(enrolment, token, kToday, std::string(1000000, 'n')), "name: longer than 253 bytes");
  EXPECT_EQ(enroll(enrolment, token, kToday, "n7"), "signed");
}

}  // namespace
}  // namespace meshdns::enrolment
