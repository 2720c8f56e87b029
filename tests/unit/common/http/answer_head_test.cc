#include "common/http/answer_head.h"

#include <gtest/gtest.h>

namespace meshdns::http {
namespace {

AnswerHead head(const std::string& text) { return read_head(text).value_or(AnswerHead{}); }

TEST(AnswerHead, ends_with_an_empty_line) {
  EXPECT_EQ(head_size("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody"), 25U);
  EXPECT_EQ(head_size("HTTP/1.1 200 OK\nA: b\n\nbody"), 22U) << "bare LF";
  EXPECT_EQ(head_size("\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), 23U) << "empty lines before it";
  EXPECT_EQ(head_size("HTTP/1.1 200 OK\r\nA: b\r\n"), 0U);
  EXPECT_EQ(head_size(""), 0U);
}

// Guards checks of servers that do not write as RFC 9112 wants, but whose status is clear.
TEST(AnswerHead, the_status_is_read_leniently) {
  for (const char* line : {"HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0  200 OK", "http/1.1 200 ok",
                           "HTTP/2 200", "HTTP/1.1 200 \xC3\xBC"}) {
    EXPECT_EQ(head(line + std::string("\r\n\r\n")).status, 200) << line;
  }
  EXPECT_EQ(head("HTTP/1.1 503 Service Unavailable\n\n").status, 503);
}

TEST(AnswerHead, what_has_no_clear_status_is_no_answer) {
  for (const char* line : {"SSH-2.0-OpenSSH_9.2", "HTTP/1.1 OK", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 -12 a",
                           "HTTP/1.1", "HTTP/ 200", "200 OK", "HTTP/1.1 099 x"}) {
    EXPECT_FALSE(read_head(line + std::string("\r\n\r\n"))) << line;
  }
}

TEST(AnswerHead, headers_are_read_leniently) {
  const AnswerHead found =
      head("HTTP/1.1 200 OK\r\nContent-Type : text/html \r\n folded: more\r\nnonsense\r\nX:\r\n\r\n");
  EXPECT_EQ(found.header("content-type"), "text/html");
  EXPECT_EQ(found.header("x"), "");
  EXPECT_EQ(found.headers.size(), 2U);
}

TEST(AnswerHead, interim_answers) {
  EXPECT_TRUE(head("HTTP/1.1 100 Continue\r\n\r\n").is_interim());
  EXPECT_TRUE(head("HTTP/1.1 103 Early Hints\r\n\r\n").is_interim());
  EXPECT_FALSE(head("HTTP/1.1 101 Switching Protocols\r\n\r\n").is_interim());
  EXPECT_FALSE(head("HTTP/1.1 200 OK\r\n\r\n").is_interim());
}

struct Read {
  BodyReader::State state;
  std::string body;
  BodyReader::State at_end;

  friend bool operator==(const Read&, const Read&) = default;
};

/// Byte by byte, as a slow network would bring it.
Read read(const std::string& headers, const std::string& data, bool head_only = false) {
  BodyReader reader(head("HTTP/1.1 200 OK\r\n" + headers + "\r\n"), head_only);
  auto state = reader.look("");
  for (std::size_t size = 1; size <= data.size() && state == BodyReader::State::NeedsMore; ++size) {
    state = reader.look(data.substr(0, size));
  }
  return {state, reader.body(), reader.at_end()};
}

TEST(BodyReader, knows_where_the_body_ends) {
  using enum BodyReader::State;
  EXPECT_EQ(read("Content-Length: 5\r\n", "hello, more"), (Read{Complete, "hello", Wrong}));
  EXPECT_EQ(read("Content-Length: 0\r\n", ""), (Read{Complete, "", Wrong}));
  EXPECT_EQ(read("Content-Length: 5\r\n", "hel"), (Read{NeedsMore, "hel", Wrong}));
  EXPECT_EQ(read("", "hello"), (Read{NeedsMore, "hello", Complete}));
  EXPECT_EQ(read("Content-Length: 5\r\n", "", true), (Read{Complete, "", Wrong})) << "HEAD";
}

TEST(BodyReader, puts_chunks_together) {
  using enum BodyReader::State;
  EXPECT_EQ(read("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nT: r\r\n\r\n"),
            (Read{Complete, "hello0123456789", Wrong}));
  EXPECT_EQ(read("Transfer-Encoding: gzip, Chunked\r\n", "1\nx\n0\n\n"), (Read{Complete, "x", Wrong})) << "bare LF";
  EXPECT_EQ(read("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), (Read{Complete, "", Wrong}));
}

TEST(BodyReader, says_what_is_wrong) {
  using enum BodyReader::State;
  EXPECT_EQ(read("Content-Length: five\r\n", "").state, Wrong);
  EXPECT_EQ(read("Transfer-Encoding: chunked\r\n", "zz\r\n").state, Wrong);
  EXPECT_EQ(read("Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n").state, Wrong);
  EXPECT_EQ(read("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n").state, Wrong) << "no number of bytes";
}

}  // namespace
}  // namespace meshdns::http
