#include "common/http/answer_reader.h"

#include <gtest/gtest.h>

namespace meshdns::http {
namespace {

using State = AnswerReader::State;

/// The bytes of a server, which closes the connection after them, and what is read of them.
struct Case {
  std::string bytes;
  int status;  // 0 = none
  std::string body;
  State state;          // when the connection is closed
  std::string problem;  // without its beginning, which is always the same
};

const std::string kLong(60 * 1024, 'x');
const std::string kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const std::vector<Case> kCases = {
    // answers as RFC 9112 wants them
    {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine", 200, "fine", State::Complete, ""},
    {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", State::Complete, ""},
    {"HTTP/1.0 200 OK\r\n\r\nfine", 200, "fine", State::Complete, ""},
    {kChunked + "4\r\nfine\r\n0\r\n\r\n", 200, "fine", State::Complete, ""},
    {"HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", 301, "", State::Complete, ""},
    // answers that are not, whose status is clear
    {"HTTP/1.1 200 OK\nContent-Length: 4\n\nfine", 200, "fine", State::Complete, ""},
    {"HTTP/1.1 200\r\n\r\n", 200, "", State::Complete, ""},
    {"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200, "", State::Complete, ""},
    {"HTTP/1.1 404 Not Found\r\nContent-Length : 0\r\nnonsense\r\nX y: 1\r\n: 2\r\n\r\n", 404, "", State::Complete, ""},
    {"HTTP/1.1 200 OK\r\nA: " + kLong + "\r\n\r\n", 200, "", State::Complete, ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\nfine", 200, "", State::Wrong,
     "its body is not framed as its headers say"},
    // interim answers
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 503 no\r\n\r\n", 503, "",
     State::Complete, ""},
    {"HTTP/1.1 102 Processing\n\nHTTP/1.1 200 OK\n\n", 200, "", State::Complete, ""},
    {"HTTP/1.1 100 Continue\r\n\r\n", 0, "", State::Wrong, "it ends in its headers"},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 101, "", State::Complete, ""},
    // other protocols, and what is cut
    {"", 0, "", State::Wrong, "the connection was closed without one"},
    {"SSH-2.0-OpenSSH_9.2p1\r\n", 0, "", State::Wrong, "it begins with \"SSH-2.0-OpenSSH_\""},
    {"220 mail\r\n", 0, "", State::Wrong, "it begins with \"220 mail\""},
    {"\x15\x03\x01", 0, "", State::Wrong, "it begins with \"...\""},
    {"HTTP/1.1 OK\r\n\r\n", 0, "", State::Wrong, "it begins with \"HTTP/1.1 OK\""},
    {"HTTP/1.1 20", 0, "", State::Wrong, "it ends in its headers"},
    {"HTTP/1.1 200 OK\r\nA: b", 0, "", State::Wrong, "it ends in its headers"},
    {"HTTP/1.1 200 OK\r\nA: " + kLong + "\r\nB: " + kLong + "\r\n\r\n", 0, "", State::Wrong,
     "its headers are longer than 64 KiB"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 200, "half", State::Wrong, "it ends before its body does"},
    {kChunked + "4\r\nfi", 200, "fi", State::Wrong, "it ends before its body does"},
    {kChunked + "zz\r\nfine", 200, "", State::Wrong, "its body is not framed as its headers say"},
};

AnswerReader read(const std::string& bytes, std::size_t piece, bool head_only = false) {
  AnswerReader reader(head_only);
  for (std::size_t at = 0; at < bytes.size(); at += piece) reader.take(std::string_view(bytes).substr(at, piece));
  if (reader.state() == State::Head || reader.state() == State::Body) reader.end();
  return reader;
}

TEST(AnswerReader, reads_what_servers_send_in_pieces_of_any_size) {
  for (const Case& one : kCases) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
      const AnswerReader reader = read(one.bytes, piece);
      const std::string shown = one.bytes.substr(0, 80) + " in pieces of " + std::to_string(piece);
      EXPECT_EQ(reader.has_head() ? reader.head().status : 0, one.status) << shown;
      EXPECT_EQ(reader.state(), one.state) << shown;
      EXPECT_EQ(reader.body(), one.body) << shown;
      EXPECT_EQ(reader.problem(), one.problem.empty() ? "" : "not an HTTP answer: " + one.problem) << shown;
    }
  }
}

// Guards a check that waits for its timeout, because the peer waits too: it greets and does not close.
TEST(AnswerReader, another_protocol_is_known_by_its_first_bytes) {
  AnswerReader greeting(false);
  EXPECT_EQ(greeting.take("SSH-2.0-"), State::Head) << "could still be shown better";
  EXPECT_EQ(greeting.take("OpenSSH_9.2p1"), State::Wrong);
  AnswerReader line(false);
  EXPECT_EQ(line.take("+OK\r\n"), State::Wrong);
}

TEST(AnswerReader, headers_without_end_are_refused_when_64_KiB_have_come) {
  AnswerReader reader(false);
  std::size_t sent = 17;
  reader.take("HTTP/1.1 200 OK\r\n");
  for (; reader.state() == State::Head; sent += 100) reader.take(std::string(98, 'x') + "\r\n");
  EXPECT_LE(sent, 64U * 1024 + 100);
}

TEST(AnswerReader, interim_answers_without_end_are_refused) {
  AnswerReader reader(false);
  unsigned sent = 0;
  for (; reader.state() == State::Head; ++sent) reader.take("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(sent, 100U);
  EXPECT_EQ(reader.problem(), "not an HTTP answer: it consists of interim answers");
}

TEST(AnswerReader, a_long_body_is_cut_and_the_rest_is_counted) {
  AnswerReader reader(false);
  reader.take("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n");
  reader.take(std::string(65'536, 'b'));
  EXPECT_FALSE(reader.is_cut());
  reader.take("b");
  EXPECT_TRUE(reader.is_cut());
  EXPECT_EQ(reader.body().size(), 65'536U);
  EXPECT_EQ(reader.state(), State::Body);
}

TEST(AnswerReader, knows_whether_the_connection_takes_another_request) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
  EXPECT_TRUE(read(answer, 100).leaves_connection_open());
  EXPECT_FALSE(read(answer + "more", 100).leaves_connection_open()) << "bytes that nobody asked for";
  EXPECT_FALSE(read(answer + "more", 1).leaves_connection_open());
  EXPECT_FALSE(read("HTTP/1.1 200 OK\r\n\r\nfine", 100).leaves_connection_open()) << "the end was the end";
  EXPECT_TRUE(read("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", 100, true).leaves_connection_open()) << "HEAD";
  AnswerReader half(false);
  half.take("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfi");
  EXPECT_FALSE(half.leaves_connection_open());
}

}  // namespace
}  // namespace meshdns::http
