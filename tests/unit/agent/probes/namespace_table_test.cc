#include "agent/probes/namespace_table.h"

#include <gmock/gmock.h>

namespace meshdns::probes {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

const IpAddress kHost = ip("10.0.0.1");
const IpAddress kOne = ip("10.1.0.1");
const IpAddress kTwo = ip("10.1.0.2");
const IpAddress kThree = ip("fd00::3");

/// A look that finds this.
std::vector<NamespaceId> look(NamespaceTable& table, const std::vector<NamespaceTable::Seen>& seen) {
  table.begin();
  std::vector<NamespaceId> out;
  for (const auto& one : table.take({kHost}, seen)) out.push_back(one.id);
  return out;
}

TEST(NamespaceTable, nothing_wanted_needs_no_look) {
  NamespaceTable table;
  EXPECT_EQ(table.wait(), Duration::max());
  table.want({ip("127.0.0.1"), ip("::1")});
  EXPECT_EQ(table.wait(), Duration::max()) << "loopback is the agent's own";
}

TEST(NamespaceTable, an_address_of_the_host_is_looked_up_once) {
  NamespaceTable table;
  table.want({kHost});
  EXPECT_EQ(table.wait(), Duration::zero());
  look(table, {});
  EXPECT_EQ(table.wait(), Duration::max());
  table.want({kHost, kOne});
  EXPECT_EQ(table.wait(), Duration::zero());
}

TEST(NamespaceTable, what_is_found_is_no_longer_missing) {
  NamespaceTable table;
  table.want({kHost, kOne, kTwo, kThree});
  EXPECT_EQ(table.missing(), 4U);
  EXPECT_THAT(look(table, {{7, {kOne}}, {8, {kTwo, kThree}}}), IsEmpty());
  EXPECT_EQ(table.missing(), 0U);
  EXPECT_EQ(table.namespaces(), 2U);
  EXPECT_EQ(table.addresses_of(8), (std::set{kTwo, kThree}));
  EXPECT_EQ(table.wait(), Duration::max());
}

TEST(NamespaceTable, what_is_missing_is_looked_for_more_and_more_rarely) {
  NamespaceTable table;
  table.want({kOne});
  std::vector<Duration> waits;
  for (int i = 0; i < 8; ++i) {
    look(table, {});
    waits.push_back(table.wait());
  }
  EXPECT_THAT(waits, ElementsAre(2s, 4s, 8s, 16s, 32s, 1min, 1min, 1min));
  table.want({kOne, kTwo});
  EXPECT_EQ(table.wait(), Duration::zero()) << "something new is wanted";
  look(table, {{7, {kTwo}}});
  EXPECT_EQ(table.wait(), NamespaceTable::kFirstWait) << "there is news, so there may be more";
}

TEST(NamespaceTable, a_namespace_that_is_not_seen_again_has_ended) {
  NamespaceTable table;
  table.want({kOne, kTwo});
  look(table, {{7, {kOne}}, {8, {kTwo}}});
  table.doubt();
  EXPECT_EQ(table.wait(), Duration::zero());
  EXPECT_THAT(look(table, {{8, {kTwo}}}), ElementsAre(7));
  EXPECT_THAT(table.addresses_of(7), IsEmpty());
  EXPECT_EQ(table.missing(), 1U);
  EXPECT_EQ(table.wait(), NamespaceTable::kFirstWait);
}

TEST(NamespaceTable, what_is_no_longer_wanted_is_let_go) {
  NamespaceTable table;
  table.want({kOne, kTwo, kThree});
  look(table, {{7, {kOne}}, {8, {kTwo, kThree}}});
  EXPECT_THAT(table.want({kThree}), ElementsAre(7));
  EXPECT_EQ(table.addresses_of(8), std::set{kThree});
  EXPECT_EQ(table.wait(), Duration::max());
}

TEST(NamespaceTable, what_is_said_during_a_look_makes_another_one_due) {
  NamespaceTable table;
  table.want({kOne});
  table.begin();
  table.want({kOne, kTwo});
  table.take({}, {{7, {kOne}}});
  EXPECT_EQ(table.wait(), Duration::zero());
  table.begin();
  table.doubt();
  table.take({}, {{7, {kOne}}, {8, {kTwo}}});
  EXPECT_EQ(table.wait(), Duration::zero());
}

TEST(NamespaceTable, a_find_that_is_no_longer_wanted_does_not_count) {
  NamespaceTable table;
  table.want({kOne});
  table.begin();
  table.want({kTwo});
  EXPECT_THAT(table.take({}, {{7, {kOne}}}), IsEmpty());
  EXPECT_EQ(table.namespaces(), 0U);
}

TEST(NamespaceTable, an_address_of_the_host_in_another_namespace_is_the_hosts) {
  NamespaceTable table;
  table.want({kHost, kOne});
  look(table, {{7, {kHost}}, {8, {kOne}}});
  EXPECT_EQ(table.namespaces(), 1U);
}

}  // namespace
}  // namespace meshdns::probes
