#include "common/log/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <string>

namespace meshdns::log {
namespace {

constexpr int kPipeBytes = 4096;
constexpr Duration kPatience = 60s;  // bounds every wait: a test fails instead of hanging

std::string note(std::uint64_t count) { return "missing " + std::to_string(count) + "\n"; }

/// A pipe whose reader stands still until read() is called.
class LineWriterTest : public testing::Test {
 protected:
  LineWriterTest() {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    EXPECT_GE(::fcntl(ends_[1], F_SETPIPE_SZ, kPipeBytes), kPipeBytes);
  }
  ~LineWriterTest() override {
    for (const int end : ends_) ::close(end);
  }

  /// Everything until `text` has come.
  std::string read_until(const std::string& text) {
    std::string out;
    while (out.find(text) == std::string::npos) {
      pollfd entry{ends_[0], POLLIN, 0};
      if (::poll(&entry, 1, 60'000) != 1) return out + "(nothing more)";
      std::array<char, 65536> buffer{};
      const ssize_t size = ::read(ends_[0], buffer.data(), buffer.size());
      if (size <= 0) return out + "(end)";
      out.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return out;
  }
  /// The pipe takes nothing more.
  void fill_pipe() {
    ASSERT_EQ(::fcntl(ends_[1], F_SETFL, O_NONBLOCK), 0);
    while (::write(ends_[1], ".", 1) == 1) {
    }
    ASSERT_EQ(::fcntl(ends_[1], F_SETFL, 0), 0);
  }

  std::array<int, 2> ends_{};
};

TEST_F(LineWriterTest, writes_at_once_before_it_has_a_thread) {
  LineWriter writer(ends_[1], note);
  writer.put("one\n");
  EXPECT_EQ(read_until("one\n"), "one\n");
}

TEST_F(LineWriterTest, writes_lines_in_order) {
  LineWriter writer(ends_[1], note);
  ASSERT_TRUE(writer.start());
  std::string all;
  for (int i = 0; i < 100; ++i) {
    writer.put(std::to_string(i) + "\n");
    all += std::to_string(i) + "\n";
  }
  EXPECT_TRUE(writer.finish(kPatience));
  EXPECT_EQ(read_until("99\n"), all);
  EXPECT_EQ(writer.dropped(), 0U);
}

// A log whose reader stood still once blocked the thread that heartbeats, answers and SIGTERM needed.
TEST_F(LineWriterTest, nobody_waits_for_a_reader_that_stands_still) {
  fill_pipe();
  LineWriter writer(ends_[1], note, {.lines = 10, .bytes = 1000});
  ASSERT_TRUE(writer.start());
  for (int i = 0; i < 1000; ++i) writer.put("line " + std::to_string(i) + "\n");
  EXPECT_GE(writer.dropped(), 1000U - 20U);  // a queue is on its way, and one waits
  writer.put("never\n");
  const std::string all = read_until("missing");
  EXPECT_NE(all.find("line 0\n"), std::string::npos) << all;
  EXPECT_EQ(all.find("never"), std::string::npos) << all;
  writer.put("again\n");
  read_until("again\n");
  EXPECT_TRUE(writer.finish(kPatience));
}

TEST_F(LineWriterTest, the_note_comes_before_later_lines) {
  LineWriter writer(ends_[1], note, {.lines = 1, .bytes = 1000});
  fill_pipe();
  ASSERT_TRUE(writer.start());
  while (writer.dropped() == 0) writer.put("more\n");
  const std::string missing = read_until("missing 1\n");  // the writer's thread is free again
  EXPECT_NE(missing.find("more\nmissing 1\n"), std::string::npos) << missing;
  writer.put("later\n");
  EXPECT_EQ(read_until("later\n"), "later\n");
}

TEST_F(LineWriterTest, counts_lines_that_the_disk_does_not_take) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  LineWriter writer(full, note);
  ASSERT_TRUE(writer.start());
  writer.put("one\n");
  writer.put("two\n");
  EXPECT_TRUE(writer.finish(kPatience));
  EXPECT_EQ(writer.dropped(), 2U);
  ::close(full);
}

TEST_F(LineWriterTest, the_end_does_not_wait_for_a_reader_that_stands_still) {
  fill_pipe();
  LineWriter writer(ends_[1], note);
  ASSERT_TRUE(writer.start());
  writer.put("one\n");
  EXPECT_FALSE(writer.finish(10ms));
  writer.put("last words\n");  // and it does not hang
  read_until("one\n");         // lets the thread go
}

TEST_F(LineWriterTest, writes_last_words_after_the_end) {
  LineWriter writer(ends_[1], note);
  ASSERT_TRUE(writer.start());
  ASSERT_TRUE(writer.finish(kPatience));
  writer.put("last words\n");
  EXPECT_EQ(read_until("last words\n"), "last words\n");
}

}  // namespace
}  // namespace meshdns::log
