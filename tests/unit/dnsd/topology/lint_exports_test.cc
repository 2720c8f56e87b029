#include "dnsd/topology/lint_exports.h"

#include "tests/unit/dnsd/topology/lint_fixture.h"

namespace meshdns::topology {
namespace {

using testing::IsEmpty;

TEST_F(LintTest, endpoints_of_other_clusters_must_be_exported) {
  const auto list = [&](const std::string& key, bool exported) {
    model::Endpoint& pod = records.endpoints.at(key);
    pod.service.clear();
    pod.memberships = {{.service = "web", .ports = {{"http", 8080, "TCP", ""}}, .exported = exported}};
  };
  list("eu-1/n1/10.0.0.11", false);
  list("us-1/n1/10.2.0.11", false);
  EXPECT_THAT(found(), IsEmpty()) << "those at home are of use";
  object.services.front().clusters = {"us-1"};
  expect_one("warning spec.services[0]: it matches only endpoints of us-1 that are not exported");
  list("us-1/n1/10.2.0.11", true);
  EXPECT_THAT(found(), IsEmpty());
}

}  // namespace
}  // namespace meshdns::topology
