// Pages over HTTP: below 1 MiB whatever is asked for, and the header that leads to the next one.
#include "dnsd/admin/http_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/dnsd/admin/counting_mesh.h"

namespace meshdns::admin {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kAll = 1000;

/// Lists nodes with long names; the token is the number of the next one.
class LongMesh : public CountingMesh {
 public:
  void list(const v1::ListRequest& request, std::function<void(Result<v1::ListReply>)> done) override {
    ++calls;
    if (request.continue_() == "gone") return done(Error(Code::Unavailable, "gone"));
    const auto begin = request.continue_().empty() ? 0U : static_cast<std::uint32_t>(std::stoul(request.continue_()));
    const std::uint32_t end = std::min(kAll, begin + request.limit());
    v1::ListReply reply;
    for (std::uint32_t i = begin; i < end; ++i) reply.add_nodes()->set_key(std::to_string(i) + std::string(5000, 'x'));
    if (end < kAll) reply.set_continue_(std::to_string(end));
    done(std::move(reply));
  }
};

class HttpApiTest : public testing::Test {
 protected:
  http::Response get(const std::string& target) {
    http::Response out;
    http_api(mesh_)(http::parse_target("GET", target), [&](http::Response answer) { out = std::move(answer); });
    return out;
  }

  static std::size_t rows_in(const http::Response& page) {
    std::size_t out = 0;
    for (auto at = page.body.find("\"key\""); at != std::string::npos; at = page.body.find("\"key\"", at + 1)) ++out;
    return out;
  }

  LongMesh mesh_;
};

TEST_F(HttpApiTest, links_lead_through_pages_below_a_mebibyte) {
  std::string target = "/v1/nodes?key=a%20b&limit=700";
  std::size_t rows = 0;
  int pages = 0;
  while (!target.empty()) {
    const http::Response page = get(target);
    ASSERT_EQ(page.status, 200) << page.body;
    EXPECT_LE(page.body.size(), std::size_t{1} << 20);
    rows += rows_in(page);
    const auto link = page.headers.find("Link");
    target = link == page.headers.end() ? "" : link->second.substr(1, link->second.find('>') - 1);
    EXPECT_TRUE(target.empty() || target.starts_with("/v1/nodes?key=a%20b&limit=700&continue=")) << target;
    ++pages;
  }
  EXPECT_EQ(rows, kAll);
  EXPECT_EQ(pages, 6) << "700 rows were too many, and 350";
}

TEST_F(HttpApiTest, without_a_limit_a_page_has_a_few_rows) {
  EXPECT_EQ(rows_in(get("/v1/nodes")), 125U) << "250 were too long";
}

TEST_F(HttpApiTest, errors_have_statuses) {
  EXPECT_EQ(get("/v1/nodes?limit=0").status, 400);
  EXPECT_EQ(get("/v1/nodes?limit=-1").status, 400);
  EXPECT_EQ(get("/v1/nodes?limit=x").status, 400);
  EXPECT_EQ(get("/v1/nodes?continue=gone").status, 503);
  EXPECT_EQ(get("/v1/simulate").status, 400);
  EXPECT_EQ(get("/v2").status, 404);
  EXPECT_THAT(get("/v2").body, HasSubstr("/v1/endpoints"));
  EXPECT_EQ(get("/metrics").status, 200);
}

}  // namespace
}  // namespace meshdns::admin
