#include "agent/probes/listener_dump.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/unit/agent/probes/message_bytes.h"

namespace meshdns::probes {
namespace {

constexpr const char* kSequence = "07000000";
constexpr const char* kDone = "14000000 0300 0200 07000000 00000000 00000000";

DiagMessage listed(const char* port) { return {.port = port, .protocol = "", .sequence = kSequence}; }

std::vector<std::string> texts(const DumpPart& part) {
  std::vector<std::string> out;
  for (const auto& socket : part.sockets) out.push_back(socket.text());
  return out;
}

TEST(DumpRequest, has_the_bytes_of_the_kernels_structure) {
  // nlmsghdr: 72 bytes, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, sequence 7. inet_diag_req_v2: AF_INET, TCP,
  // the state TCP_LISTEN, and no address.
  const std::string zeros(96, '0');
  EXPECT_EQ(dump_request(Family::V4, Protocol::Tcp, 7),
            bytes_of("48000000 1400 0103 07000000 00000000  02 06 00 00 00040000" + zeros));
  EXPECT_EQ(dump_request(Family::V6, Protocol::Udp, 7),
            bytes_of("48000000 1400 0103 07000000 00000000  0a 11 00 00 80000000" + zeros));
}

TEST(ReadDump, reads_many_messages_and_the_end) {
  DiagMessage connected = listed("0051");
  connected.peer_port = "c001";
  connected.peer = "0a000002 00000000 00000000 00000000";
  const auto part = read_dump(
      bytes_of(listed("1f90").text() + connected.text() + listed("0000").text() + listed("0035").text() + kDone), 7);
  EXPECT_EQ(texts(part), (std::vector<std::string>{"10.0.0.1:8080", "10.0.0.1:53"}));
  EXPECT_TRUE(part.done);
  EXPECT_EQ(part.error, 0);
}

TEST(ReadDump, a_part_that_others_follow_has_no_end) {
  const auto part = read_dump(listed("1f90").bytes(), 7);
  EXPECT_EQ(part.sockets.size(), 1U);
  EXPECT_FALSE(part.done);
  EXPECT_FALSE(read_dump({}, 7).done);
}

TEST(ReadDump, answers_to_another_request_do_not_count) {
  DiagMessage other = listed("1f90");
  other.sequence = "06000000";
  const auto part = read_dump(bytes_of(other.text() + "14000000 0300 0200 06000000 00000000 00000000"), 7);
  EXPECT_TRUE(part.sockets.empty());
  EXPECT_FALSE(part.done);
}

TEST(ReadDump, says_why_the_kernel_gives_none) {
  // NLMSG_ERROR with -EPERM; NLMSG_DONE with -ENOENT: there is no such protocol
  const auto refused = read_dump(bytes_of("24000000 0200 0000 07000000 00000000 ffffffff" + std::string(32, '0')), 7);
  EXPECT_TRUE(refused.done);
  EXPECT_EQ(refused.error, EPERM);
  const auto none = read_dump(bytes_of("14000000 0300 0200 07000000 00000000 feffffff"), 7);
  EXPECT_TRUE(none.done);
  EXPECT_EQ(none.error, ENOENT);
}

TEST(ReadDump, damaged_bytes_end_it) {
  const auto whole = bytes_of(listed("1f90").text() + kDone);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_dump(std::span(whole).first(size), 7).done) << size;
  }
  EXPECT_FALSE(read_dump(bytes_of("00000000 1400 0000 07000000 00000000"), 7).done) << "length 0";
  EXPECT_FALSE(read_dump(bytes_of("ffffffff 0300 0000 07000000 00000000"), 7).done) << "longer than there is";
  const auto short_body = read_dump(bytes_of(std::string("14000000 1400 0000 07000000 00000000 02000000") + kDone), 7);
  EXPECT_TRUE(short_body.sockets.empty());
  EXPECT_TRUE(short_body.done);
}

}  // namespace
}  // namespace meshdns::probes
