#include "agent/mapping/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshdns::mapping {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

IpAddress address(const std::string& text) { return IpAddress::parse(text).value(); }

Wish wish(const std::string& endpoint, const std::string& from, std::uint16_t target,
          Protocol protocol = Protocol::Tcp) {
  return {endpoint, {SocketAddress::parse(from).value(), protocol, target}};
}

class JudgeTest : public testing::Test {
 protected:
  JudgeTest() { facts.addresses = {address("10.0.0.11"), address("fd00::11")}; }

  void listen(const std::string& where, Protocol protocol = Protocol::Tcp, bool v6_only = false) {
    facts.listeners.push_back({SocketAddress::parse(where).value(), protocol, v6_only});
  }
  /// The reasons of refusal, by wish; empty = granted.
  std::vector<std::string> judged(const std::vector<Wish>& wishes, const std::set<Rule>& present = {}) const {
    std::vector<std::string> out;
    for (const Verdict& verdict : judge(wishes, facts, present)) out.push_back(verdict.refused);
    return out;
  }

  Facts facts;
};

TEST_F(JudgeTest, grants_what_nobody_uses) {
  listen("0.0.0.0:8080");
  EXPECT_THAT(judged({wish("a", "10.0.0.11:80", 8080), wish("a", "[fd00::11]:80", 8080)}), ElementsAre("", ""));
}

TEST_F(JudgeTest, refuses_where_a_process_listens) {
  listen("10.0.0.11:80");
  EXPECT_THAT(judged({wish("a", "10.0.0.11:80", 8080)}), ElementsAre("a process listens on 10.0.0.11:80"));
  EXPECT_THAT(judged({wish("a", "10.0.0.11:81", 8080), wish("a", "10.0.0.11:80", 8080, Protocol::Udp)}),
              ElementsAre("", ""))
      << "another port, another protocol";
}

TEST_F(JudgeTest, a_listener_on_another_address_is_in_nobodys_way) {
  listen("127.0.0.1:80");
  EXPECT_THAT(judged({wish("a", "10.0.0.11:80", 8080)}), ElementsAre(""));
}

TEST_F(JudgeTest, a_wildcard_takes_all_addresses_of_its_family) {
  listen("0.0.0.0:80");
  EXPECT_THAT(judged({wish("a", "10.0.0.11:80", 8080), wish("a", "[fd00::11]:80", 8080)}),
              ElementsAre("a process listens on 0.0.0.0:80", ""));
}

TEST_F(JudgeTest, the_v6_wildcard_takes_v4_too_unless_it_says_otherwise) {
  listen("[::]:80");
  listen("[::]:81", Protocol::Tcp, true);
  EXPECT_THAT(judged({wish("a", "10.0.0.11:80", 8080), wish("a", "[fd00::11]:80", 8080)}),
              ElementsAre("a process listens on [::]:80", "a process listens on [::]:80"));
  EXPECT_THAT(judged({wish("a", "10.0.0.11:81", 8080), wish("a", "[fd00::11]:81", 8080)}),
              ElementsAre("", "a process listens on [::]:81"));
}

TEST_F(JudgeTest, refuses_addresses_of_others) {
  EXPECT_THAT(judged({wish("a", "10.0.0.12:80", 8080)}), ElementsAre("10.0.0.12 is not an address of this machine"));
}

TEST_F(JudgeTest, of_two_targets_the_first_is_granted_and_what_is_there_stays) {
  const std::vector<Wish> wishes = {wish("a", "10.0.0.11:80", 8080), wish("b", "10.0.0.11:80", 8081)};
  EXPECT_THAT(judged(wishes), ElementsAre("", "10.0.0.11:80 leads to a"));
  EXPECT_THAT(judged(wishes, {wishes[1].rule}), ElementsAre("10.0.0.11:80 leads to b", ""))
      << "an endpoint that comes later takes nothing away";
  EXPECT_THAT(judged({wishes[1], wishes[0]}, {wishes[1].rule}), ElementsAre("", "10.0.0.11:80 leads to b"));
}

TEST_F(JudgeTest, two_endpoints_with_one_target_share_a_rule) {
  const auto verdicts = judge({wish("a", "10.0.0.11:80", 8080), wish("b", "10.0.0.11:80", 8080)}, facts, {});
  EXPECT_EQ(granted(verdicts).size(), 1U);
  EXPECT_THAT(verdicts.back().refused, IsEmpty());
}

}  // namespace
}  // namespace meshdns::mapping
