#include "agent/probes/namespace_events.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>
#include <random>
#include <thread>

#include "agent/probes/namespace_look.h"
#include "common/time/system_clock.h"
#include "tests/unit/agent/probes/other_namespace.h"

namespace meshdns::probes {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAddress = "10.77.9.2";

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

std::size_t count_in(const char* folder) {
  const fs::directory_iterator begin(folder);
  return static_cast<std::size_t>(std::distance(begin, fs::directory_iterator()));
}

/// A look as NamespaceEvents makes it: on a thread that ends with it.
Look look_on_thread(const LookRequest& request) {
  Look out;
  std::thread([&] {
    const std::atomic<bool> stop = false;
    out = look_for_namespaces(request, stop);
  }).join();
  return out;
}

class NamespaceEventsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!OtherNamespace(kAddress).usable() || !missing_capabilities().empty()) {
      std::cout << "skipped: no network namespaces here\n";
      GTEST_SKIP();
    }
    open({});
  }

  void open(NamespaceEvents::Options options) {
    options.least_gap = 1ms;
    options.rest = 1;
    events_ = std::make_unique<NamespaceEvents>(loop_, clock_,
                                                NamespaceEvents::Calls{[this](const SocketAddress& where) {
                                                                         closed_.push_back(where.text());
                                                                         look();
                                                                       },
                                                                       [this](const SocketAddress& where) {
                                                                         appeared_.push_back(where.text());
                                                                         look();
                                                                       },
                                                                       [this] { look(); }},
                                                options);
  }

  void look() {
    if (until_ && until_()) loop_.stop();
  }

  /// Runs the loop until it holds; false = it did not within `patience`.
  bool wait(const std::function<bool()>& condition, Duration patience = 120s) {
    until_ = condition;
    const auto timer = loop_.after(patience, [this] { loop_.stop(); });
    if (!condition()) loop_.run();
    loop_.restart();
    loop_.cancel(timer);
    until_ = nullptr;
    return condition();
  }
  bool wait_watched(std::size_t namespaces) {
    return wait([this, namespaces] { return events_->state().watched == namespaces; });
  }
  bool was_closed(const std::string& where) const { return std::ranges::find(closed_, where) != closed_.end(); }

  process::EventLoop loop_;
  SystemClock clock_;
  std::vector<std::string> closed_;
  std::vector<std::string> appeared_;
  std::function<bool()> until_;
  std::unique_ptr<NamespaceEvents> events_;
};

TEST_F(NamespaceEventsTest, a_look_finds_the_namespace_of_an_address) {
  const OtherNamespace other(kAddress);
  const Look found = look_on_thread({{ip(kAddress), ip("10.77.9.3")}, {}, 10});
  EXPECT_EQ(found.denied, "");
  ASSERT_EQ(found.found.size(), 1U);
  EXPECT_EQ(found.found[0].addresses, std::set{ip(kAddress)});
  EXPECT_TRUE(found.found[0].holder);
  EXPECT_TRUE(found.found[0].connection);
  const Look again = look_on_thread({{ip(kAddress)}, {{found.found[0].id, {ip(kAddress)}}}, 10});
  ASSERT_EQ(again.found.size(), 1U);
  EXPECT_FALSE(again.found[0].connection) << "it is held";
}

TEST_F(NamespaceEventsTest, the_agents_own_addresses_are_no_others) {
  const Look found = look_on_thread({{ip("127.0.0.1")}, {}, 10});
  EXPECT_TRUE(found.found.empty());
}

TEST_F(NamespaceEventsTest, a_look_keeps_to_its_bound) {
  const OtherNamespace one("10.77.9.2");
  const OtherNamespace two("10.77.9.3");
  const Look found = look_on_thread({{ip("10.77.9.2"), ip("10.77.9.3")}, {}, 1});
  EXPECT_EQ(found.found.size(), 1U);
  EXPECT_EQ(found.unwatched, 1U);
  EXPECT_EQ(found.unwatched_why, "more than 1 namespaces");
}

TEST_F(NamespaceEventsTest, reports_sockets_by_the_address_of_the_endpoint) {
  OtherNamespace other(kAddress);
  events_->watch({ip(kAddress)}, {OtherNamespace::kUdp});
  ASSERT_TRUE(wait_watched(1));
  EXPECT_EQ(events_->state().missing, 0U);
  other.close_port(OtherNamespace::kOtherUdp);
  other.close_port(OtherNamespace::kUdp);
  ASSERT_TRUE(wait([this] { return was_closed("10.77.9.2:53"); }));
  other.close_port(OtherNamespace::kTcp);
  ASSERT_TRUE(wait([this] { return was_closed("10.77.9.2:8080"); }));
  EXPECT_FALSE(was_closed("10.77.9.2:54")) << "nobody expects this port";
}

TEST_F(NamespaceEventsTest, a_listener_that_appears_is_reported_by_the_address_of_the_endpoint) {
  OtherNamespace other(kAddress);
  events_->watch({ip(kAddress)}, {});
  events_->expect({{ip(kAddress), {{Protocol::Tcp, OtherNamespace::kLater}}}, {ip("10.77.9.3"), {{Protocol::Tcp, 1}}}});
  ASSERT_TRUE(wait_watched(1));
  EXPECT_FALSE(wait([this] { return !appeared_.empty(); }, 100ms));
  other.open_later();
  ASSERT_TRUE(wait([this] { return !appeared_.empty(); }));
  EXPECT_EQ(appeared_, std::vector<std::string>{"10.77.9.2:8081"});
}

TEST_F(NamespaceEventsTest, a_killed_process_is_reported_and_its_namespace_let_go) {
  OtherNamespace other(kAddress);
  events_->watch({ip(kAddress)}, {});
  ASSERT_TRUE(wait_watched(1));
  other.kill();
  ASSERT_TRUE(wait([this] { return was_closed("10.77.9.2:0"); }));
  EXPECT_EQ(events_->state().watched, 0U);
  EXPECT_EQ(events_->state().missing, 1U);
}

TEST_F(NamespaceEventsTest, a_namespace_with_another_process_stays) {
  OtherNamespace other(kAddress);
  ASSERT_TRUE(other.fork_another());
  events_->watch({ip(kAddress)}, {});
  ASSERT_TRUE(wait_watched(1));
  other.kill();
  ASSERT_TRUE(wait([this] { return was_closed("10.77.9.2:8080"); }));
  EXPECT_FALSE(wait([this] { return events_->state().watched == 0; }, 300ms));
  EXPECT_FALSE(was_closed("10.77.9.2:0"));
}

TEST_F(NamespaceEventsTest, what_nobody_wants_any_more_is_let_go_and_says_nothing) {
  OtherNamespace other(kAddress);
  events_->watch({ip(kAddress)}, {});
  ASSERT_TRUE(wait_watched(1));
  events_->watch({}, {});
  EXPECT_EQ(events_->state().watched, 0U);
  other.kill();
  EXPECT_FALSE(wait([this] { return !closed_.empty(); }, 100ms));
}

TEST_F(NamespaceEventsTest, a_container_that_starts_later_is_found) {
  events_->watch({ip(kAddress)}, {});
  ASSERT_TRUE(wait([this] { return events_->state().missing == 1; }));
  const OtherNamespace other(kAddress);
  EXPECT_TRUE(wait_watched(1)) << "within the first wait, or twice of it";
}

// 200 namespaces come and go, in an order that is drawn: nothing is left of them.
TEST_F(NamespaceEventsTest, namespaces_that_come_and_go_leak_nothing) {
  std::minstd_rand random(20);
  events_->watch({ip(kAddress)}, {OtherNamespace::kUdp});
  const std::size_t descriptors = count_in("/proc/self/fd");
  for (int round = 0; round < 200; ++round) {
    std::optional<OtherNamespace> other(kAddress);
    events_->watch({ip(kAddress), IpAddress::v4(0x0A4D0A00 + static_cast<std::uint32_t>(round))}, {});
    const bool finds = random() % 4 != 0;
    ASSERT_TRUE(!finds || wait_watched(1)) << "round " << round;
    if (random() % 2 == 0) events_->watch({}, {});
    other.reset();
    ASSERT_TRUE(!finds || wait_watched(0)) << "round " << round;
  }
  events_.reset();
  EXPECT_LE(count_in("/proc/self/fd"), descriptors + 1) << "the loop's timer may have opened one";
  EXPECT_EQ(count_in("/proc/self/task"), 1U);
}

TEST_F(NamespaceEventsTest, it_ends_while_a_look_runs) {
  const OtherNamespace other(kAddress);
  for (int round = 0; round < 50; ++round) {
    open({});
    events_->watch({ip(kAddress)}, {});
    loop_.after(std::chrono::microseconds(100 * round), [this] { loop_.stop(); });
    loop_.run();
    loop_.restart();
    events_.reset();
  }
  EXPECT_EQ(count_in("/proc/self/task"), 1U);
}

}  // namespace
}  // namespace meshdns::probes
