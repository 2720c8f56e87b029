#include "common/http/message.h"

#include <gtest/gtest.h>

namespace meshdns::http {
namespace {

TEST(ParseTarget, splits_and_decodes) {
  const Request request = parse_target("GET", "/v1/explain?host=a%2eb&client=10.0.0.9&x+y=1&empty&host=last");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/v1/explain");
  EXPECT_EQ(request.parameters, (std::map<std::string, std::string>{
                                    {"host", "last"}, {"client", "10.0.0.9"}, {"x y", "1"}, {"empty", ""}}));
}

TEST(ParseTarget, broken_escapes_stay) {
  EXPECT_EQ(parse_target("GET", "/a%2").path, "/a%2");
  EXPECT_EQ(parse_target("GET", "/a%zz%41").path, "/a%zzA");
}

TEST(PercentEncoded, comes_back_as_it_was) {
  const std::string text = "cluster=eu-1,node=a b%&+/\xc3\xa4";
  EXPECT_EQ(percent_encoded("a-1.b_~"), "a-1.b_~");
  EXPECT_EQ(percent_encoded("a=1"), "a%3D1");
  EXPECT_EQ(parse_target("GET", "/x?y=" + percent_encoded(text)).parameters.at("y"), text);
}

}  // namespace
}  // namespace meshdns::http
