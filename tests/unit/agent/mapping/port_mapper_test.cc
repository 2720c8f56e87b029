#include "agent/mapping/port_mapper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace meshdns::mapping {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const Rule kRule{SocketAddress::parse("10.0.0.11:80").value(), Protocol::Tcp, 8080};
const Rule kOther{SocketAddress::parse("10.0.0.11:443").value(), Protocol::Tcp, 8443};

/// A machine whose kernel has at most one table.
class PortMapperTest : public testing::Test {
 protected:
  PortMapperTest() { facts.addresses = {IpAddress::parse("10.0.0.11").value()}; }

  Result<std::string> run(const std::string& commands) {
    ran.push_back(commands);
    if (!error.empty()) return Error(Code::PermissionDenied, error);
    if (commands.starts_with("list")) {
      if (!table) return Error(Code::NotFound, "No such file or directory");
      return *table;
    }
    const auto chains = commands.find("table inet t {");
    table.reset();
    if (chains == std::string::npos) return std::string();
    table = commands.substr(chains);
    for (auto at = table->find("counter"); at != std::string::npos; at = table->find("counter", at + 1)) {
      table->insert(at + 7, " packets " + std::to_string(packets) + " bytes 0");
    }
    return std::string();
  }
  void look(int times) {
    for (int i = 0; i < times; ++i) mapper.look();
  }

  std::vector<std::string> ran;
  std::optional<std::string> table;
  int packets = 0;  // of each rule that is written from now on
  std::string error;
  Facts facts;
  std::string blind;  // why the facts are not known
  PortMapper mapper{"t",
                    {[this](const std::string& commands) { return run(commands); },
                     [this]() -> Result<Facts> {
                       if (!blind.empty()) return Error(Code::Unavailable, blind);
                       return facts;
                     }}};
};

TEST_F(PortMapperTest, a_start_removes_what_a_crash_has_left) {
  table = "of an earlier run";
  mapper.start();
  EXPECT_FALSE(table);
  EXPECT_EQ(mapper.problem(), "");
}

TEST_F(PortMapperTest, only_changes_are_written) {
  EXPECT_TRUE(mapper.set({{"a", kRule}}));
  ASSERT_EQ(ran.size(), 1U);
  EXPECT_EQ(ran.front(), replacement("t", {kRule}));
  look(5);
  EXPECT_EQ(ran.size(), 1U);
  EXPECT_TRUE(mapper.set({{"a", kRule}, {"b", kOther}}));
  EXPECT_EQ(ran.back(), replacement("t", {kRule, kOther}));
}

TEST_F(PortMapperTest, without_a_wish_there_is_no_table) {
  mapper.set({{"a", kRule}});
  ASSERT_TRUE(table);
  EXPECT_TRUE(mapper.set({}));
  EXPECT_FALSE(table);
  EXPECT_THAT(mapper.verdicts(), IsEmpty());
}

TEST_F(PortMapperTest, a_stop_removes_the_table) {
  mapper.set({{"a", kRule}});
  mapper.stop();
  EXPECT_FALSE(table);
}

TEST_F(PortMapperTest, what_is_refused_is_tried_again_when_the_listener_is_gone) {
  facts.listeners = {{kRule.from}};
  EXPECT_TRUE(mapper.set({{"a", kRule}}));
  EXPECT_FALSE(table);
  EXPECT_EQ(mapper.verdicts().front().refused, "a process listens on 10.0.0.11:80");
  EXPECT_FALSE(mapper.look());
  facts.listeners.clear();
  EXPECT_TRUE(mapper.look());
  EXPECT_TRUE(table);
  EXPECT_EQ(mapper.verdicts().front().refused, "");
}

TEST_F(PortMapperTest, a_listener_that_comes_later_gets_its_port) {
  mapper.set({{"a", kRule}});
  facts.listeners = {{kRule.from}};
  EXPECT_TRUE(mapper.look());
  EXPECT_FALSE(table);
}

TEST_F(PortMapperTest, without_permission_every_wish_says_why_and_it_is_tried_again) {
  error = "not permitted";
  mapper.start();
  mapper.set({{"a", kRule}});
  EXPECT_EQ(mapper.problem(), "not permitted");
  EXPECT_EQ(mapper.verdicts().front().refused, "not permitted");
  error.clear();
  EXPECT_TRUE(mapper.look());
  EXPECT_EQ(mapper.problem(), "");
  EXPECT_EQ(mapper.verdicts().front().refused, "");
  EXPECT_TRUE(table);
}

TEST_F(PortMapperTest, what_cannot_be_replaced_stays_as_it_is) {
  mapper.set({{"a", kRule}});
  error = "not permitted";
  mapper.set({{"a", kRule}, {"b", kOther}});
  EXPECT_THAT(*table, HasSubstr("dport 80 "));
  EXPECT_EQ(mapper.verdicts().front().refused, "");
  EXPECT_EQ(mapper.verdicts().back().refused, "not permitted");
}

TEST_F(PortMapperTest, while_listeners_are_not_known_nothing_is_added) {
  mapper.set({{"a", kRule}});
  blind = "sock_diag: no answer";
  mapper.set({{"a", kRule}, {"b", kOther}});
  ASSERT_EQ(mapper.verdicts().size(), 2U);
  EXPECT_EQ(mapper.verdicts().front().refused, "");
  EXPECT_EQ(mapper.verdicts().back().refused, "sock_diag: no answer");
  EXPECT_THAT(*table, Not(HasSubstr("443")));
}

TEST_F(PortMapperTest, a_table_that_another_program_has_removed_is_written_again) {
  mapper.set({{"a", kRule}});
  table.reset();
  look(PortMapper::kChecked);
  EXPECT_TRUE(table);
}

TEST_F(PortMapperTest, connections_are_counted_over_replacements) {
  packets = 3;
  mapper.set({{"a", kRule}});
  look(PortMapper::kChecked);
  EXPECT_EQ(mapper.connections(), 6U) << "3 in each hook";
  packets = 1;
  mapper.set({{"a", kOther}});
  look(PortMapper::kChecked);
  EXPECT_EQ(mapper.connections(), 8U);
}

TEST_F(PortMapperTest, an_idle_mapper_asks_nothing) {
  mapper.start();
  ran.clear();
  look(3 * PortMapper::kChecked);
  EXPECT_THAT(ran, IsEmpty());
}

}  // namespace
}  // namespace meshdns::mapping
