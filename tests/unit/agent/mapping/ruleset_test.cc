#include "agent/mapping/ruleset.h"

#include <gtest/gtest.h>

namespace meshdns::mapping {
namespace {

Rule rule(const std::string& from, Protocol protocol, std::uint16_t target) {
  return {SocketAddress::parse(from).value(), protocol, target};
}

TEST(Ruleset, one_transaction_replaces_the_table_whether_it_exists_or_not) {
  EXPECT_EQ(replacement("meshdns-n1",
                        {rule("10.0.0.11:80", Protocol::Tcp, 8080), rule("[fd00::11]:53", Protocol::Udp, 5353)}),
            R"(add table inet meshdns-n1
delete table inet meshdns-n1
table inet meshdns-n1 {
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    ip daddr 10.0.0.11 tcp dport 80 counter dnat ip to 10.0.0.11:8080
    ip6 daddr fd00::11 udp dport 53 counter dnat ip6 to [fd00::11]:5353
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr 10.0.0.11 tcp dport 80 counter dnat ip to 10.0.0.11:8080
    ip6 daddr fd00::11 udp dport 53 counter dnat ip6 to [fd00::11]:5353
  }
}
)");
}

TEST(Ruleset, removal_names_no_other_table) {
  EXPECT_EQ(removal("meshdns-n1"), "add table inet meshdns-n1\ndelete table inet meshdns-n1\n");
}

TEST(Ruleset, agents_of_two_nodes_on_one_machine_have_two_tables) {
  EXPECT_EQ(table_name("eu1-n1.example"), "meshdns-eu1-n1.example");
  EXPECT_NE(table_name("n1"), table_name("n2"));
  EXPECT_LT(table_name(std::string(253, 'n')).size(), 256U);  // NFT_TABLE_MAXNAMELEN
}

TEST(Ruleset, a_listing_is_counted) {
  const Counted counted = counted_in(
      "table inet meshdns-n1 {\n"
      "\tchain prerouting {\n"
      "\t\tip daddr 10.0.0.11 tcp dport 80 counter packets 17 bytes 1020 dnat ip to 10.0.0.11:8080\n"
      "\t}\n"
      "\tchain output {\n"
      "\t\tip daddr 10.0.0.11 tcp dport 80 counter packets 3 bytes 180 dnat ip to 10.0.0.11:8080\n"
      "\t}\n}\n");
  EXPECT_EQ(counted, (Counted{2, 20}));
  EXPECT_EQ(counted_in(""), Counted());
  EXPECT_EQ(counted_in("counter packets "), (Counted{1, 0})) << "a listing that is cut does not end the process";
}

}  // namespace
}  // namespace meshdns::mapping
