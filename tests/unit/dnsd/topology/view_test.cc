#include "dnsd/topology/view.h"

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace meshdns::topology {
namespace {

const model::Locality kPlace{"corp", "eu", "eu-a", "rack-3", "eu-1", "n1"};

/// What is left of the place in the view of this ladder, parts from network to node.
std::string view_of(const std::string& ladder) {
  model::Policy policy;
  policy.ladder.clear();
  for (const std::string_view rung : split(ladder, ',')) policy.ladder.push_back(model::parse_rung(rung).value());
  const model::Locality place = projected(kPlace, view_parts(policy));
  std::string out;
  for (const model::Part part : model::kParts)
    out += (out.empty() ? "" : " ") + (place.part(part).empty() ? "-" : place.part(part));
  return out;
}

TEST(View, has_the_parts_that_the_ladder_names_and_those_they_imply) {
  EXPECT_EQ(view_of("cluster"), "- - - - eu-1 -");
  EXPECT_EQ(view_of("cluster+zone"), "- eu eu-a - eu-1 -");
  EXPECT_EQ(view_of("node"), "- - - - eu-1 n1");
  EXPECT_EQ(view_of("node,cluster+subzone"), "- eu eu-a rack-3 eu-1 n1");
}

TEST(View, has_the_cluster_where_a_rung_is_split_by_it) {
  EXPECT_EQ(view_of("any"), "- - - - eu-1 -");
  EXPECT_EQ(view_of("region"), "- eu - - eu-1 -");
  EXPECT_EQ(view_of("node,region"), "- eu - - eu-1 n1");
}

TEST(View, of_the_default_ladder_leaves_out_node_and_network) {
  EXPECT_EQ(view_of("cluster+zone,cluster,zone,region,any"), "- eu eu-a - eu-1 -");
  EXPECT_EQ(view_parts(model::Policy{}), (view_parts(model::Policy{.ladder = model::default_ladder()})));
}

TEST(View, nothing_and_everything) {
  EXPECT_EQ(projected(kPlace, 0), model::Locality{});
  EXPECT_EQ(projected(kPlace, 0x3F), kPlace);
}

}  // namespace
}  // namespace meshdns::topology
