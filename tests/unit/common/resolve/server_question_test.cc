#include "common/resolve/server_question.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "common/base/hex.h"

namespace meshdns::resolve {
namespace {

constexpr const char* kQuestion = "1234 0100 0001 0000 0000 0000 01 61 04 6d657368 00 0001 0001";  // a.mesh. A

std::string bytes(const char* hex) { return from_hex(hex).value(); }

TEST(ServerQuestion, is_written_as_the_rfc_says) {
  EXPECT_EQ(write_question("a.mesh", "A", 0x1234).value(), bytes(kQuestion));
  EXPECT_EQ(write_question("a.mesh.", "A", 0x1234).value(), bytes(kQuestion));
  EXPECT_EQ(write_question(".", "NS", 1).value(), bytes("0001 0100 0001 0000 0000 0000 00 0002 0001"));
  EXPECT_FALSE(write_question("a..mesh", "A", 1));
  EXPECT_FALSE(write_question(std::string(64, 'a'), "A", 1));
  EXPECT_FALSE(write_question("a.mesh", "ANY", 1));
}

/// What a server may send, and whether it answers the question.
struct Message {
  const char* what;
  const char* hex;
  bool is_reply;
};

TEST(ServerQuestion, only_its_own_answer_counts) {
  constexpr std::array kMessages = {
      Message{"an answer without records", "1234 8180 0001 0000 0000 0000 01 61 04 6d657368 00 0001 0001", true},
      Message{"the letters of the name in the other case",
              "1234 8180 0001 0000 0000 0000 01 41 04 4d455348 00 0001 0001", true},
      Message{"another id", "1235 8180 0001 0000 0000 0000 01 61 04 6d657368 00 0001 0001", false},
      Message{"the question itself", kQuestion, false},
      Message{"a reply to a NOTIFY", "1234 a180 0001 0000 0000 0000 01 61 04 6d657368 00 0001 0001", false},
      Message{"another name", "1234 8180 0001 0000 0000 0000 01 62 04 6d657368 00 0001 0001", false},
      Message{"another type", "1234 8180 0001 0000 0000 0000 01 61 04 6d657368 00 001c 0001", false},
      Message{"another class", "1234 8180 0001 0000 0000 0000 01 61 04 6d657368 00 0001 0003", false},
      Message{"two questions", "1234 8180 0002 0000 0000 0000 01 61 04 6d657368 00 0001 0001", false},
      Message{"an error without the question", "1234 8185 0000 0000 0000 0000", true},
      Message{"no error and no question", "1234 8180 0000 0000 0000 0000", false},
      Message{"half a header", "1234 8180 0001", false},
      Message{"a question that is cut", "1234 8180 0001 0000 0000 0000 01 61 04 6d65", false},
      Message{"nothing", "", false},
  };
  for (const auto& [what, hex, is_reply] : kMessages) {
    EXPECT_EQ(is_reply_to(bytes(kQuestion), bytes(hex)), is_reply) << what;
  }
}

/// Returns an answer to the question with these records.
std::string answer(const char* count, const char* records) {
  return bytes("1234 8180 0001") + bytes(count) + bytes("0000 0000 01 61 04 6d657368 00 0001 0001") + bytes(records);
}

TEST(ServerQuestion, addresses_are_read) {
  const auto one = read_reply(answer("0001", "c00c 0001 0001 00000005 0004 0a000001"), "A");
  ASSERT_TRUE(one);
  EXPECT_EQ(*one, (Reply{.rcode = 0, .addresses = {IpAddress::v4(0x0A000001)}}));
  const auto two =
      read_reply(answer("0002", "c00c 0001 0001 00000005 0004 0a000001 c00c 0001 0001 00000005 0004 0a000002"), "A");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->addresses.size(), 2U);
  const auto alias =
      read_reply(answer("0002", "c00c 0005 0001 00000005 0003 0162 00 0162 00 0001 0001 00000005 0004 0a000001"), "A");
  ASSERT_TRUE(alias);
  EXPECT_EQ(alias->addresses.size(), 1U) << "behind an alias";
  EXPECT_EQ(read_reply(answer("0000", ""), "A").value(), Reply{});
}

TEST(ServerQuestion, the_rest_of_an_answer_that_is_cut_is_not_read) {
  const auto cut = read_reply(bytes("1234 8380 0001 0002 0000 0000 01 61 04 6d657368 00 0001 0001 c00c"), "A");
  EXPECT_EQ(cut.value(), (Reply{.rcode = 0, .truncated = true}));
}

TEST(ServerQuestion, broken_records_are_an_error) {
  constexpr std::array kBroken = {
      "c00c 0001 0001 00000005 0004 0a00",      // a short address
      "c00c 0001 0001 00000005 00ff 0a000001",  // a length beyond the end
      "c0ff 0001 0001 00000005 0004 0a000001",  // a name beyond the end
      "",                                       // no record
  };
  for (const char* records : kBroken) EXPECT_FALSE(read_reply(answer("0001", records), "A")) << records;
}

TEST(ServerQuestion, codes_have_the_names_of_the_rfc) {
  EXPECT_EQ(read_reply(bytes("1234 8183 0001 0000 0000 0000 01 61 04 6d657368 00 0001 0001"), "A")->rcode, 3);
  EXPECT_EQ(rcode_name(0), "NOERROR");
  EXPECT_EQ(rcode_name(3), "NXDOMAIN");
  EXPECT_EQ(rcode_name(9), "rcode 9");
}

// Property: whatever comes is read, or refused, and never crashes.
TEST(ServerQuestion, random_bytes_are_harmless) {
  std::minstd_rand random(7);
  const std::string question = bytes(kQuestion);
  const std::string good = answer("0001", "c00c 0001 0001 00000005 0004 0a000001");
  unsigned read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string message = good.substr(0, random() % 4 == 0 ? random() % good.size() : good.size());
    for (unsigned changes = random() % 4; changes > 0 && !message.empty(); --changes) {
      message[random() % message.size()] = static_cast<char>(random());
    }
    if (!is_reply_to(question, message)) continue;
    for (const char* type : {"A", "AAAA", "MX"}) read += read_reply(message, type) ? 1 : 0;
  }
  EXPECT_GT(read, 10'000U);
}

}  // namespace
}  // namespace meshdns::resolve
