#include "common/kubernetes/request_text.h"

#include <gtest/gtest.h>

namespace meshdns::kubernetes {
namespace {

TEST(RequestText, a_get_has_no_body) {
  Request request;
  request.target = "/api/v1/nodes/n1";
  request.body = "not sent";
  EXPECT_EQ(
      request_text(request, "[fd00::1]:443", "abc"),
      "GET /api/v1/nodes/n1 HTTP/1.1\r\nHost: [fd00::1]:443\r\nUser-Agent: meshdns\r\nAccept: application/json\r\n"
      "Authorization: Bearer abc\r\n\r\n");
}

TEST(RequestText, others_have_one_with_its_length) {
  Request request;
  request.method = "PATCH";
  request.target = "/x";
  request.body = "{\"a\":1}";
  request.content_type = kMergePatch;
  EXPECT_EQ(request_text(request, "api:443", ""),
            "PATCH /x HTTP/1.1\r\nHost: api:443\r\nUser-Agent: meshdns\r\nAccept: application/json\r\n"
            "Content-Type: application/merge-patch+json\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
}

}  // namespace
}  // namespace meshdns::kubernetes
