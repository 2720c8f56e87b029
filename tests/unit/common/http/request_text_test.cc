#include "common/http/request_text.h"

#include <gtest/gtest.h>

namespace meshdns::http {
namespace {

TEST(RequestText, has_what_a_request_needs) {
  EXPECT_EQ(request_text({.path = "/healthz", .host = "web.example:80", .keeps_connection = true}),
            "GET /healthz HTTP/1.1\r\nHost: web.example:80\r\nUser-Agent: meshdns\r\nConnection: keep-alive\r\n\r\n");
}

TEST(RequestText, given_headers_replace_the_own_ones) {
  EXPECT_EQ(request_text({.host = "h", .headers = {{"user-agent", "x"}, {"X-A", "b"}}}),
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-A: b\r\nuser-agent: x\r\n\r\n");
}

// Guards servers that wait for the body of a POST whose length they were not told.
TEST(RequestText, says_that_there_is_no_body) {
  EXPECT_EQ(request_text({.method = "POST", .host = "h"}),
            "POST / HTTP/1.1\r\nHost: h\r\nUser-Agent: meshdns\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

TEST(RequestText, requests_that_may_be_repeated) {
  EXPECT_TRUE(is_idempotent("GET"));
  EXPECT_TRUE(is_idempotent("HEAD"));
  EXPECT_FALSE(is_idempotent("POST"));
  EXPECT_FALSE(is_idempotent("PURGE"));
}

}  // namespace
}  // namespace meshdns::http
