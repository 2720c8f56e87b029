// The certificate that a federation signs for itself.
#include "dnsd/enrolment/own_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/authority/authority.h"
#include "common/authority/folder.h"
#include "common/base/durable_file.h"
#include "common/base/whole_file.h"
#include "common/time/sim_clock.h"
#include "tests/support/temporary_folder.h"

namespace meshdns::enrolment {
namespace {

namespace fs = std::filesystem;

using authority::Description;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kBegin = 1795806000;

class WhyToSignTest : public testing::Test {
 protected:
  std::string why(std::int64_t now = kBegin) const { return why_to_sign({own_, authority_}, wanted_, now); }

  Wanted wanted_{.uri = "spiffe://m/meshdns/federation/eu-1/f",
                 .addresses = {"fed.example", "10.0.9.1"},
                 .key_hash = "aa",
                 .authority_hash = "bb",
                 .until = kBegin + 90,
                 .lifetime = 90s};
  Description own_{.uris = {wanted_.uri},
                   .addresses = {"10.0.9.1", "fed.example"},
                   .not_before = kBegin - 300,
                   .not_after = kBegin + 90,
                   .key_hash = "aa"};
  Description authority_{.key_hash = "bb"};
};

TEST_F(WhyToSignTest, at_two_thirds_of_the_lifetime) {
  EXPECT_EQ(why(), "");
  wanted_.until = kBegin + 59 + 90;
  EXPECT_EQ(why(kBegin + 59), "");
  wanted_.until = kBegin + 60 + 90;
  EXPECT_EQ(why(kBegin + 60), "two thirds of its time are over");
}

TEST_F(WhyToSignTest, not_again_and_again_when_the_authority_ends) {
  wanted_.until = own_.not_after;
  EXPECT_EQ(why(kBegin + 80), "");
}

TEST_F(WhyToSignTest, when_it_is_not_the_one_that_is_wanted) {
  EXPECT_EQ(why_to_sign({}, wanted_, kBegin), "there is none");
  EXPECT_EQ(why(kBegin - 301), "it is not valid yet");
  wanted_.addresses.pop_back();
  EXPECT_EQ(why(), "the addresses have changed");
  wanted_.authority_hash = "cc";
  EXPECT_EQ(why(), "it is of another authority");
  wanted_.uri += "2";
  EXPECT_EQ(why(), "it is of another owner");
  wanted_.key_hash = "dd";
  EXPECT_EQ(why(), "it is of another key");
}

class OwnCertificateTest : public testing::Test {
 protected:
  OwnCertificateTest() {
    const auto made = authority::make_authority("mesh.internal", clock_.unix_seconds());
    EXPECT_TRUE(authority::create_folder(folder_.path("ca"), *made));
  }

  std::string path(const std::string& name) const { return folder_.path("data/" + name); }
  OwnCertificate::Options options() const {
    return {.authority = folder_.path("ca"),
            .certificate = path("server.pem"),
            .key = path("server.key"),
            .identity = {identity::Role::Federation, "eu-1", "f"},
            .addresses = [this] { return addresses_; },
            .lifetime = 24h};
  }
  std::vector<Description> chain() const { return *authority::describe(*read_file(path("server.pem"))); }
  std::string signer() const { return chain().back().key_hash; }
  std::string known_authority() const {
    const auto known = authority::read_known_folder(folder_.path("ca"), clock_.unix_seconds());
    return authority::describe(*authority::signing_certificate(*known))->front().key_hash;
  }

  SimClock clock_;
  test::TemporaryFolder folder_;
  std::vector<std::string> addresses_ = {"fed.example", "10.0.9.1"};
};

TEST_F(OwnCertificateTest, key_and_certificate_are_made_at_the_start) {
  OwnCertificate own(options(), clock_, clock_);
  const auto started = own.start();
  ASSERT_TRUE(started) << started.error().message();
  const auto made = chain();
  ASSERT_EQ(made.size(), 2U);
  EXPECT_THAT(made[0].uris, ElementsAre("spiffe://mesh.internal/meshdns/federation/eu-1/f"));
  EXPECT_THAT(made[0].addresses, ElementsAre("fed.example", "10.0.9.1"));
  EXPECT_TRUE(made[1].is_authority);
  EXPECT_EQ(fs::status(path("server.key")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(OwnCertificateTest, it_is_renewed_in_time_and_keeps_its_key) {
  OwnCertificate own(options(), clock_, clock_);
  ASSERT_TRUE(own.start());
  const auto first = chain().front();
  clock_.advance(15h);
  EXPECT_EQ(chain().front().serial, first.serial);
  clock_.advance(2h);
  const auto second = chain().front();
  EXPECT_NE(second.serial, first.serial);
  EXPECT_EQ(second.key_hash, first.key_hash);
  EXPECT_GT(second.not_after, clock_.unix_seconds() + 22 * 3600);
}

TEST_F(OwnCertificateTest, a_certificate_that_can_be_used_is_kept_at_a_restart) {
  ASSERT_TRUE(OwnCertificate(options(), clock_, clock_).start());
  const auto first = chain().front();
  clock_.advance(1h);
  ASSERT_TRUE(OwnCertificate(options(), clock_, clock_).start());
  EXPECT_EQ(chain().front().serial, first.serial);
  ASSERT_TRUE(put_file(path("server.pem"), "damaged", 0644));
  ASSERT_TRUE(OwnCertificate(options(), clock_, clock_).start());
  EXPECT_EQ(chain().front().key_hash, first.key_hash);
}

TEST_F(OwnCertificateTest, a_new_address_is_in_it_within_a_minute) {
  OwnCertificate own(options(), clock_, clock_);
  ASSERT_TRUE(own.start());
  addresses_.push_back("2001:db8::1");
  clock_.advance(61s);
  EXPECT_THAT(chain().front().addresses, ElementsAre("fed.example", "10.0.9.1", "2001:db8::1"));
}

// Agents trust the new authority only after the renewal of their own certificates.
TEST_F(OwnCertificateTest, the_old_authority_signs_until_the_exchange_is_finished) {
  OwnCertificate own(options(), clock_, clock_);
  ASSERT_TRUE(own.start());
  const std::string old = signer();
  const auto before = authority::read_folder(folder_.path("ca"));
  const auto next = authority::rotated(*before, clock_.unix_seconds());
  ASSERT_TRUE(authority::write_rotated(folder_.path("ca"), *before, *next));
  clock_.advance(20h);
  EXPECT_EQ(signer(), old);
  EXPECT_EQ(known_authority(), old);
  ASSERT_TRUE(authority::finish_rotation(folder_.path("ca")));
  clock_.advance(61s);
  EXPECT_NE(signer(), old);
  EXPECT_EQ(signer(), known_authority());
}

TEST_F(OwnCertificateTest, without_an_authority_there_is_no_start_and_later_the_old_one_stays) {
  OwnCertificate own(options(), clock_, clock_);
  ASSERT_TRUE(own.start());
  const auto first = chain().front();
  fs::remove_all(folder_.path("ca"));
  clock_.advance(10min);
  EXPECT_EQ(chain().front().serial, first.serial);
  const auto again = OwnCertificate(options(), clock_, clock_).start();
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message(), HasSubstr("there is no authority"));
}

}  // namespace
}  // namespace meshdns::enrolment
