#include "common/rpc/alert_text.h"

#include <gtest/gtest.h>

namespace meshdns::rpc {
namespace {

constexpr std::int64_t kBegin = 1795806000;  // 2026-11-27T19:00:00Z
const ShownCertificate kOwn = {"CN=n1", kBegin, kBegin + 86400};

TEST(AlertText, a_refusal_that_the_time_may_explain_shows_the_times) {
  EXPECT_EQ(alert_text(45, kOwn, kBegin + 60),
            "the other end says that this end's certificate (CN=n1) has expired: it is valid from 2026-11-27T19:00:00Z "
            "to 2026-11-28T19:00:00Z; this machine's clock says 2026-11-27T19:01:00Z (a clock may be wrong)");
  EXPECT_EQ(
      alert_text(42, kOwn, kBegin + 60),
      "the other end says that this end's certificate (CN=n1) is bad, or not valid yet by its clock: it is valid "
      "from 2026-11-27T19:00:00Z to 2026-11-28T19:00:00Z; this machine's clock says 2026-11-27T19:01:00Z (a clock "
      "may be wrong)");
}

TEST(AlertText, other_refusals_name_the_certificate) {
  EXPECT_EQ(alert_text(48, kOwn, kBegin),
            "the other end does not trust the authority of this end's certificate (CN=n1)");
  EXPECT_EQ(alert_text(46, kOwn, kBegin), "the other end refuses this end's certificate (CN=n1)");
}

TEST(AlertText, an_alert_about_something_else_says_nothing) {
  for (const int alert : {0, 10, 40, 70, 90})
    EXPECT_EQ(alert_text(static_cast<unsigned char>(alert), kOwn, kBegin), "");
}

}  // namespace
}  // namespace meshdns::rpc
