// What is said about certificates that cannot be used now.
#include "common/rpc/tls_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/authority/authority.h"
#include "common/authority/description.h"
#include "common/authority/key.h"
#include "common/base/durable_file.h"
#include "tests/support/temporary_folder.h"

namespace meshdns::rpc {
namespace {

namespace fs = std::filesystem;

using identity::Identity;
using identity::Role;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1795806000;  // 2026-11-27T19:00:00Z
constexpr std::int64_t kHour = 3600;

class TlsFilesTest : public testing::Test {
 protected:
  TlsFilesTest() {
    const std::string key = *authority::make_key();
    const authority::Order order{Identity{Role::Federation, "eu-1", "f"}, {}, 1h};
    certificate_ = *authority::sign(authority_, *authority::make_request(key), order, kNow);
    EXPECT_TRUE(put_file(files().certificate, certificate_, 0600));
    EXPECT_TRUE(put_file(files().key, key, 0600));
    EXPECT_TRUE(put_file(files().ca, authority_.certificates, 0600));
  }

  TlsFiles files() const { return {folder_.path("f.pem"), folder_.path("f.key"), folder_.path("ca.pem")}; }
  std::string said_at(std::int64_t now) const {
    const auto usable = check_now(files(), now);
    return usable ? "usable" : usable.error().message();
  }
  /// What an agent says that knows the hash of the authority's key only.
  std::string pinned_at(std::int64_t now) const {
    const std::string hash = authority::describe(authority_.certificates)->front().key_hash;
    const auto fits = check_pinned(certificate_ + authority_.certificates, hash, now);
    return fits ? "fits" : fits.error().message();
  }

  test::TemporaryFolder folder_;
  std::string certificate_;
  const authority::Authority authority_ = *authority::make_authority("mesh.internal", kNow - 10 * kHour);
};

TEST_F(TlsFilesTest, a_wrong_clock_can_be_seen_in_the_problem) {
  EXPECT_EQ(said_at(kNow), "usable");
  EXPECT_EQ(said_at(kNow + 2 * kHour),
            files().certificate +
                ": expired at 2026-11-27T20:00:00Z, the certificate of CN=federation eu-1/f; "
                "this machine's clock says 2026-11-27T21:00:00Z (a clock may be wrong)");
  EXPECT_EQ(said_at(kNow - kHour), files().certificate +
                                       ": not valid before 2026-11-27T18:55:00Z, the certificate of CN=federation "
                                       "eu-1/f; this machine's clock says 2026-11-27T18:00:00Z (a clock may be wrong)");
}

TEST_F(TlsFilesTest, other_problems_say_nothing_of_clocks) {
  ASSERT_TRUE(put_file(files().key, *authority::make_key(), 0600));
  EXPECT_EQ(said_at(kNow), files().certificate + ": " + files().key + ": not the key of " + files().certificate);
  ASSERT_TRUE(put_file(files().key, "x", 0600));
  EXPECT_THAT(said_at(kNow), HasSubstr("f.key: no private key in PEM"));
  fs::remove(files().ca);
  EXPECT_THAT(said_at(kNow), HasSubstr("ca.pem: No such file or directory"));
}

TEST_F(TlsFilesTest, who_joins_by_a_token_sees_a_wrong_clock_too) {
  EXPECT_EQ(pinned_at(kNow), "fits");
  EXPECT_EQ(pinned_at(kNow + 2 * kHour),
            "its certificate cannot be verified with the authority that the token names: certificate has expired: "
            "CN=federation eu-1/f expired at 2026-11-27T20:00:00Z; this machine's clock says 2026-11-27T21:00:00Z (a "
            "clock may be wrong)");
  EXPECT_THAT(pinned_at(kNow - kHour), HasSubstr("certificate is not yet valid: CN=federation eu-1/f not valid before "
                                                 "2026-11-27T18:55:00Z; this machine's clock says"));
}

}  // namespace
}  // namespace meshdns::rpc
