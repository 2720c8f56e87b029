#include "common/http/answer_head.h"

#include <gtest/gtest.h>

namespace meshdns::http {
namespace {

AnswerHead head(const std::string& text) { return read_head(text).value_or(AnswerHead{}); }

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

// Guards a request on a connection that the server is about to close.
TEST(AnswerHead, says_whether_the_connection_stays) {
  EXPECT_TRUE(head("HTTP/1.1 200 OK\r\n\r\n").is_persistent());
  EXPECT_FALSE(head("HTTP/1.1 200 OK\r\nConnection: foo, Close\r\n\r\n").is_persistent());
  EXPECT_FALSE(head("HTTP/1.0 200 OK\r\n\r\n").is_persistent());
  EXPECT_TRUE(head("http/1.0 200 OK\r\nconnection: Keep-Alive\r\n\r\n").is_persistent());
  EXPECT_FALSE(head("HTTP/1.1 101 Switching Protocols\r\n\r\n").is_persistent());
  EXPECT_FALSE(head("HTTP/2 200\r\n\r\n").is_persistent()) << "what that server does is unknown";
}

}  // namespace
}  // namespace meshdns::http
