// Who changed what: one line of the log, one line of a file, and the latest in memory; and what a flood leaves of that.
#include "common/log/audit.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/time/sim_clock.h"

namespace meshdns::log {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

const AuditEntry kDone{"alice (uid 1000, pid 4711)", "unix", "apply", "VirtualDestination/shop/web created", ""};
const AuditEntry kRefused{"node eu-1/n7", "10.0.0.7:52814", "report", "Node/eu-1/n8", "may not (rule own-node)"};

std::size_t lines_in(const std::string& text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

class AuditTest : public testing::Test {
 protected:
  AuditTest() { std::filesystem::create_directory(folder_); }
  ~AuditTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  static std::string content(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  /// Waits until the thread that writes has written this.
  static bool until_contains(const std::string& path, const std::string& text) {
    for (int i = 0; i < 6000; ++i) {
      if (content(path).find(text) != std::string::npos) return true;
      ::usleep(10'000);
    }
    return false;
  }
  /// Puts a folder where the file should be, so that nobody, not even root, can write the file.
  void obstruct(const std::string& name) const { std::filesystem::create_directory(folder_ / name); }

  SimClock clock_;
  std::uint64_t revision_ = 41;
  Audit audit_{clock_, clock_, [this] { return revision_; }};

 private:
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("meshdns-audit-" + std::to_string(::getpid()));
};

TEST_F(AuditTest, a_change_and_a_refusal_are_a_line_each) {
  CaptureStderr();
  audit_.note(kDone);
  ++revision_;
  audit_.note(kRefused);
  const std::string log = GetCapturedStderr();
  EXPECT_NE(log.find("info audit who=\"alice (uid 1000, pid 4711)\" from=unix verb=apply "
                     "objects=\"VirtualDestination/shop/web created\" revision=41 outcome=ok\n"),
            std::string::npos)
      << log;
  EXPECT_NE(log.find("audit who=\"node eu-1/n7\" from=10.0.0.7:52814 verb=report objects=Node/eu-1/n8 revision=42 "
                     "outcome=\"refused: may not (rule own-node)\"\n"),
            std::string::npos)
      << log;
  ASSERT_EQ(audit_.kept().size(), 2U);
  EXPECT_EQ(audit_.kept()[0].outcome(), "ok");
  EXPECT_EQ(audit_.kept()[1].outcome(), "refused: may not (rule own-node)");
  EXPECT_EQ(audit_.kept()[1].revision, 42U);
}

// Guards the log, the file and the memory against whoever is refused again and again.
TEST_F(AuditTest, an_identity_has_ten_lines_a_second_and_the_rest_is_counted) {
  CaptureStderr();
  for (int i = 0; i < 5000; ++i) audit_.note(kRefused);
  audit_.note(kDone);
  EXPECT_EQ(audit_.kept().size(), Audit::kLines + 1);
  clock_.advance(Audit::kInterval);
  audit_.note(kRefused);
  const std::string log = GetCapturedStderr();
  EXPECT_EQ(lines_in(log), 13U) << log;
  EXPECT_NE(log.find("log lines left out kind=\"audit of node eu-1/n7\" lines=4990\n"), std::string::npos) << log;
  EXPECT_EQ(audit_.kept().size(), Audit::kLines + 2);
  clock_.advance(10s);
  EXPECT_EQ(clock_.pending(), 0U) << "nothing is to be looked at any more";
}

// The pid is what a caller of the unix socket claims: with another one in each call it had no limit.
TEST_F(AuditTest, an_identity_may_be_more_than_what_is_shown) {
  CaptureStderr();
  for (int i = 0; i < 50; ++i) {
    AuditEntry entry = kDone;
    entry.who = "alice (uid 1000, pid " + std::to_string(i) + ")";
    entry.share = "alice (uid 1000)";
    audit_.note(entry);
  }
  GetCapturedStderr();
  EXPECT_EQ(audit_.kept().size(), Audit::kLines);
}

TEST_F(AuditTest, identities_without_number_are_bounded) {
  CaptureStderr();
  for (std::size_t i = 0; i < 3 * Audit::kMostIdentities; ++i) {
    AuditEntry entry = kRefused;
    entry.who = "node eu-1/n" + std::to_string(i);
    audit_.note(entry);
  }
  const std::string log = GetCapturedStderr();
  EXPECT_EQ(lines_in(log), Audit::kMostIdentities + Audit::kLines) << "those beyond share their lines";
  EXPECT_EQ(audit_.kept().size(), Audit::kMostKept);
  EXPECT_EQ(audit_.kept().front().entry.who, "node eu-1/n" + std::to_string(Audit::kLines)) << "the oldest are gone";
}

TEST_F(AuditTest, a_file_has_one_object_a_line_and_is_for_its_owner) {
  audit_.write_to(path("audit.json"));
  CaptureStderr();
  audit_.note(kDone);
  audit_.note({"unknown", "10.0.0.7:1", "watch", "a\nb\x1b\"c\xff", "no"});
  GetCapturedStderr();
  ASSERT_TRUE(until_contains(path("audit.json"), "refused: no"));
  const std::string text = content(path("audit.json"));
  EXPECT_EQ(lines_in(text), 2U) << text;
  EXPECT_EQ(text.substr(text.find(",\"event\"")).substr(0, text.find('\n') - text.find(",\"event\"") + 1),
            ",\"event\":\"audit\",\"who\":\"alice (uid 1000, pid 4711)\",\"from\":\"unix\",\"verb\":\"apply\","
            "\"objects\":\"VirtualDestination/shop/web created\",\"revision\":41,\"outcome\":\"ok\"}\n");
  struct stat found {};
  ASSERT_EQ(::stat(path("audit.json").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

// logrotate moves the file and sends SIGHUP
TEST_F(AuditTest, a_file_that_was_moved_away_is_made_again) {
  audit_.write_to(path("audit.json"));
  CaptureStderr();
  audit_.note(kDone);
  ASSERT_TRUE(until_contains(path("audit.json"), "alice"));
  std::filesystem::rename(path("audit.json"), path("audit.1.json"));
  audit_.note(kRefused);
  ASSERT_TRUE(until_contains(path("audit.1.json"), "own-node")) << "until then it goes on in the old one";
  audit_.write_to(path("audit.json"));
  audit_.note(kRefused);
  GetCapturedStderr();
  EXPECT_TRUE(until_contains(path("audit.json"), "own-node"));
  EXPECT_EQ(audit_.lost(), 0U);
}

TEST_F(AuditTest, a_file_that_cannot_be_written_is_told_once_and_stops_nothing) {
  obstruct("audit.json");
  CaptureStderr();
  audit_.write_to(path("audit.json"));
  for (int i = 0; i < 3; ++i) {
    audit_.note(kDone);
    clock_.advance(Audit::kInterval);
  }
  EXPECT_FALSE(audit_.file_usable());
  EXPECT_EQ(audit_.lost(), 3U);
  EXPECT_EQ(audit_.kept().size(), 3U);
  std::filesystem::remove(path("audit.json"));
  audit_.write_to(path("audit.json"));
  EXPECT_TRUE(audit_.file_usable());
  audit_.note(kDone);
  EXPECT_TRUE(until_contains(path("audit.json"), "alice"));
  const std::string log = GetCapturedStderr();
  const auto first = log.find("audit file cannot be written problem=\"" + path("audit.json") + ": Is a directory\"");
  EXPECT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("audit file cannot be written", first + 1), std::string::npos) << log;
  EXPECT_NE(log.find("audit file is written again"), std::string::npos) << log;
  EXPECT_EQ(audit_.lost(), 3U);
}

TEST_F(AuditTest, a_disk_that_is_full_is_told_when_it_takes_nothing) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "not on this machine: /dev/full";
  CaptureStderr();
  audit_.write_to("/dev/full");
  EXPECT_TRUE(audit_.file_usable());
  audit_.note(kDone);
  for (int i = 0; i < 6000 && audit_.lost() == 0; ++i) ::usleep(10'000);
  clock_.advance(Audit::kInterval);
  EXPECT_FALSE(audit_.file_usable());
  EXPECT_EQ(audit_.lost(), 1U);
  EXPECT_NE(GetCapturedStderr().find("audit file cannot be written"), std::string::npos);
}

TEST_F(AuditTest, a_file_is_checked_without_making_it) {
  EXPECT_TRUE(AppendedFile::check(path("audit.json")));
  EXPECT_FALSE(std::filesystem::exists(path("audit.json")));
  EXPECT_EQ(AppendedFile::check(path("none/audit.json")).error().message(),
            path("none") + ": No such file or directory");
  obstruct("folder");
  EXPECT_EQ(AppendedFile::check(path("folder")).error().message(), path("folder") + ": Is a directory");
  std::ofstream(path("file")) << "old\n";
  EXPECT_TRUE(AppendedFile::check(path("file")));
  EXPECT_EQ(AppendedFile::check(path("file/audit.json")).error().message(),
            path("file/audit.json") + ": Not a directory");
}

}  // namespace
}  // namespace meshdns::log
