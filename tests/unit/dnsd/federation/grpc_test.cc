// Agents and a federation in one process, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <random>
#include <thread>

#include "agent/report/grpc_reporter.h"
#include "common/model/limits.h"
#include "common/net/socket_address.h"
#include "common/time/system_clock.h"
#include "dnsd/federation/federation_service.h"
#include "tests/support/fakes/open_gate.h"

namespace meshdns::federation {
namespace {

using report::GrpcReporter;
using report::Syncer;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Duration kPatience = 120s;
/// What a federation remembers, and its service. Everything but the service's end runs on the loop.
struct Federation {
  Federation(process::EventLoop& loop, const Clock& clock, const std::string& address)
      : agents({catalog, clock, loop, "eu-1/a", [this] { watchers.changed(); }}),
        feed(catalog, v1::Origin(), 1, [](auto, const auto&) { return nullptr; }),
        watchers(feed, clock, loop) {
    auto listening = FederationService::listen(loop, clock, agents, [this]() -> Watchers& { return watchers; },
                                               {address, {}, open_gate()});
    service = std::move(listening.value());
  }

  catalog::Catalog catalog;
  Agents agents;
  Feed feed;
  Watchers watchers;
  std::unique_ptr<FederationService> service;
};

struct Agent {
  Agent(process::EventLoop& loop, const Clock& clock, report::ReporterOptions options)
      : reporter(std::in_place, loop, clock, std::move(options), syncer) {}

  Syncer syncer{report::wire_codec()};
  std::optional<GrpcReporter> reporter;
};

model::Endpoint endpoint(const std::string& key) {
  model::Endpoint out;
  out.key = key;
  out.source = "files";
  out.namespace_ = "shop";
  out.service = "web";
  out.addresses = {IpAddress::v4(0x0A00000B)};
  out.health.state = model::HealthState::Serving;
  return out;
}

class GrpcTest : public testing::Test {
 protected:
  ~GrpcTest() override {
    for (auto& agent : agents_) {
      if (agent->reporter) stop(*agent, 0s);
    }
    stop_federation();
  }

  /// Runs the loop until it is so, and tells whether it became so.
  bool until(const std::function<bool()>& so) {
    bool became = false;
    bool expired = false;
    const TimerId deadline = loop_.after(kPatience, [&] { expired = true; });
    std::optional<TimerId> poll;
    const std::function<void()> look = [&] {
      poll.reset();
      became = so();
      if (became || expired) return loop_.stop();
      poll = loop_.after(1ms, look);
    };
    look();
    if (!became) {
      loop_.restart();
      loop_.run();
    }
    loop_.cancel(deadline);
    return became;
  }
  void pass(Duration time) {
    bool passed = false;
    loop_.after(time, [&] { passed = true; });
    ASSERT_TRUE(until([&] { return passed; }));
  }

  void start_federation(const std::string& address = "127.0.0.1:0") {
    federation_.emplace(loop_, clock_, address);
    address_ = federation_->service->bound();
  }
  /// As the daemon does it: gRPC is ended on a thread of its own while the loop goes on.
  void stop_federation() {
    if (!federation_) return;
    federation_->agents.shut_down();
    bool ended = false;
    std::thread stopper([&] {
      federation_->service.reset();
      loop_.post([&] { ended = true; });
    });
    EXPECT_TRUE(until([&] { return ended && federation_->agents.open_streams() == 0; }));
    stopper.join();
    federation_.reset();
  }

  report::ReporterOptions options(const std::string& node) const {
    report::ReporterOptions out;
    out.servers = {address_};
    model::Node own;
    own.locality.cluster = "eu-1";
    own.locality.node = node;
    out.node = report::NodeDescription::fixed(std::move(own));
    out.instance_uid = "uid of " + node;
    out.boot_id = "boot";
    return out;
  }
  Agent& add_agent(report::ReporterOptions options, const std::vector<model::Endpoint>& endpoints) {
    Agent& agent = *agents_.emplace_back(std::make_unique<Agent>(loop_, clock_, std::move(options)));
    agent.syncer.set_sources({{"files", true, ""}});
    for (const auto& entry : endpoints) agent.syncer.put(entry, clock_.now());
    agent.reporter->start();
    return agent;
  }
  bool stop(Agent& agent, Duration patience) {
    bool stopped = false;
    agent.reporter->stop(patience, [&] { stopped = true; });
    const bool ended = until([&] { return stopped; });
    agent.reporter.reset();
    return ended;
  }

  std::vector<std::string> keys() const {
    std::vector<std::string> out;
    for (const auto& [key, entry] : federation_->catalog.records().endpoints) out.push_back(key);
    return out;
  }
  std::size_t records() const { return federation_->catalog.records().endpoints.size(); }

  process::EventLoop loop_;
  SystemClock clock_;
  std::string address_;
  std::optional<Federation> federation_;
  std::vector<std::unique_ptr<Agent>> agents_;
};

std::string socket_path() {
  return (std::filesystem::temp_directory_path() / ("meshdns-fed-" + std::to_string(getpid()) + ".sock")).string();
}

// ---- reports ----

TEST_F(GrpcTest, a_report_arrives_in_the_catalog) {
  for (const std::string& address : {std::string("127.0.0.1:0"), std::string("[::1]:0"), "unix:" + socket_path()}) {
    SCOPED_TRACE(address);
    start_federation(address);
    Agent& agent = add_agent(options("n1"), {endpoint("a"), endpoint("b")});
    ASSERT_TRUE(until([this] { return records() == 2; }));
    EXPECT_TRUE(agent.reporter->connected());
    EXPECT_EQ(agent.reporter->server(), address_);
    EXPECT_EQ(agent.reporter->last_error(), "");
    agent.syncer.remove("a");
    agent.syncer.put(endpoint("c"), clock_.now());
    agent.reporter->changed();
    ASSERT_TRUE(until([this] { return keys() == std::vector<std::string>{"eu-1/n1/b", "eu-1/n1/c"}; }));
    EXPECT_TRUE(stop(agent, 1s));
    stop_federation();
  }
}

TEST_F(GrpcTest, heartbeats_go_on_and_the_digests_stay_equal) {
  start_federation();
  Agent& agent = add_agent(options("n1"), {endpoint("a")});
  ASSERT_TRUE(until([&] { return agent.syncer.acked() > 0; }));
  const auto messages = federation_->agents.counters().messages;
  ASSERT_TRUE(
      until([&] { return federation_->agents.sweep(), federation_->agents.counters().messages >= messages + 2; }));
  EXPECT_EQ(agent.syncer.acked(), 1U) << "a second Full was sent";
  EXPECT_EQ(agent.syncer.state(), Syncer::State::InSync);
}

TEST_F(GrpcTest, a_full_beyond_the_largest_message_goes_in_parts) {
  start_federation();
  std::vector<model::Endpoint> endpoints;
  for (std::size_t i = 0; i < model::kMostNodeEndpoints; ++i) endpoints.push_back(endpoint(std::to_string(i)));
  for (model::Endpoint& one : endpoints) one.health.detail = std::string(500, 'x');
  add_agent(options("n1"), endpoints);
  EXPECT_TRUE(until([this] { return records() == model::kMostNodeEndpoints; })) << records();
}

TEST_F(GrpcTest, a_refused_record_is_told_by_name) {
  start_federation();
  model::Endpoint bad = endpoint("bad");
  bad.weight = 70000;
  Agent& agent = add_agent(options("n1"), {endpoint("good"), bad});
  ASSERT_TRUE(until([&] { return !agent.syncer.refused().empty(); }));
  EXPECT_EQ(agent.syncer.refused().at("bad").field, "weight");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/good"));
}

TEST_F(GrpcTest, many_reporters_at_once) {
  start_federation();
  for (int node = 0; node < 20; ++node) {
    std::vector<model::Endpoint> endpoints;
    for (int i = 0; i < 50; ++i) endpoints.push_back(endpoint(std::to_string(i)));
    add_agent(options("n" + std::to_string(node)), endpoints);
  }
  EXPECT_TRUE(until([this] { return records() == 1000; })) << records();
  EXPECT_EQ(federation_->agents.connected(), 20U);
  EXPECT_EQ(federation_->agents.counters().protocol_errors, 0U);
}

// ---- trouble ----

TEST_F(GrpcTest, a_restarted_federation_is_filled_again) {
  start_federation("127.0.66.2:0");  // nobody else takes a port of this address meanwhile
  Agent& agent = add_agent(options("n1"), {endpoint("a")});
  ASSERT_TRUE(until([this] { return records() == 1; }));
  const auto first_epoch = agent.syncer.epoch();
  stop_federation();
  ASSERT_TRUE(until([&] { return !agent.reporter->connected(); }));
  agent.syncer.put(endpoint("b"), clock_.now());
  agent.reporter->changed();
  start_federation(address_);
  ASSERT_TRUE(until([this] { return records() == 2; }));
  EXPECT_GT(agent.syncer.epoch(), first_epoch);
}

TEST_F(GrpcTest, the_next_server_is_tried_when_one_cannot_be_reached) {
  start_federation();
  auto two = options("n1");
  two.servers = {"127.0.0.1:1", address_};
  Agent& agent = add_agent(two, {endpoint("a")});
  ASSERT_TRUE(until([this] { return records() == 1; }));
  EXPECT_EQ(agent.reporter->server(), address_);
}

TEST_F(GrpcTest, a_second_agent_for_a_node_is_told_why_it_may_not) {
  start_federation();
  Agent& first = add_agent(options("n1"), {endpoint("a")});
  ASSERT_TRUE(until([&] { return first.reporter->connected(); }));
  auto other = options("n1");
  other.instance_uid = "another machine";
  Agent& second = add_agent(other, {endpoint("b")});
  ASSERT_TRUE(until([&] { return second.reporter->last_error() != "not tried yet"; }));
  ASSERT_TRUE(until([&] { return second.syncer.state() == Syncer::State::Offline; }));
  EXPECT_THAT(second.reporter->last_error(), HasSubstr("another agent reports for eu-1/n1"));
  EXPECT_FALSE(second.reporter->connected());
  EXPECT_TRUE(first.reporter->connected());
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
}

/// A TCP connection to the federation that does not speak gRPC.
class Stranger {
 public:
  explicit Stranger(const std::string& address) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(SocketAddress::parse(address).value().port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  ~Stranger() { ::close(fd_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  void say(const std::string& bytes) {
    // the other end may have closed it: that is its right
    [[maybe_unused]] const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

 private:
  int fd_;
};

TEST_F(GrpcTest, garbage_on_the_port_hurts_nobody) {
  start_federation();
  Agent& agent = add_agent(options("n1"), {endpoint("a")});
  ASSERT_TRUE(until([this] { return records() == 1; }));
  std::vector<std::unique_ptr<Stranger>> strangers;
  std::minstd_rand random(7);
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (int i = 0; i < 20; ++i) {
    strangers.push_back(std::make_unique<Stranger>(address_));
    if (i % 2 == 1) strangers.back()->say(preface);  // HTTP/2, and then garbage
    std::string bytes;
    for (int n = 0; n < 500; ++n) bytes.push_back(static_cast<char>(random()));
    strangers.back()->say(i == 0 ? "GET / HTTP/1.1\r\n\r\n" : bytes);
  }
  agent.syncer.put(endpoint("b"), clock_.now());
  agent.reporter->changed();
  EXPECT_TRUE(until([this] { return records() == 2; }));
  add_agent(options("n2"), {endpoint("a")});
  EXPECT_TRUE(until([this] { return records() == 3; }));
  EXPECT_TRUE(agent.reporter->connected());
}

TEST_F(GrpcTest, a_port_in_use_is_an_error_that_names_it) {
  start_federation();
  const auto watch = [this]() -> Watchers& { return federation_->watchers; };
  const auto second = FederationService::listen(loop_, clock_, federation_->agents, watch, {address_, {}, open_gate()});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr(address_));
}

// ---- the end ----

TEST_F(GrpcTest, a_leave_arrives_before_the_end) {
  start_federation();
  Agent& agent = add_agent(options("n1"), {endpoint("a")});
  ASSERT_TRUE(until([this] { return records() == 1; }));
  agent.syncer.leave(true);
  EXPECT_TRUE(stop(agent, 10s));
  EXPECT_TRUE(agent.syncer.settled());
  EXPECT_EQ(records(), 0U);
}

TEST_F(GrpcTest, an_agent_hears_what_it_measures_and_the_federation_what_it_found) {
  start_federation();
  model::Cluster cluster;
  cluster.meta.name = "us-1";
  cluster.gateways = {{IpAddress::v4(0x0A020001), {{.name = "http", .number = 8080}}}};
  federation_->catalog.put_cluster(cluster, clock_.now());
  std::vector<report::MeasureTarget> told;
  auto with_targets = options("n1");
  with_targets.measure = [&](const std::vector<report::MeasureTarget>& targets) { told = targets; };
  Agent& agent = add_agent(std::move(with_targets), {endpoint("a")});
  ASSERT_TRUE(until([&] { return federation_->agents.sweep(), told.size() == 1; }));
  EXPECT_EQ(told[0], (report::MeasureTarget{"gateway us-1 10.2.0.1:8080", {IpAddress::v4(0x0A020001), 8080}, 5s}));
  agent.syncer.measured({told[0].key, report::Reach::Connected, 80ms});
  agent.reporter->changed();
  const auto& statuses = federation_->catalog.records().cluster_statuses;
  ASSERT_TRUE(until([&] { return federation_->agents.sweep(), statuses.contains("eu-1"); }));
  EXPECT_EQ(statuses.at("eu-1").distances.at("us-1"), 80ms);
}

TEST_F(GrpcTest, a_stop_without_leave_keeps_the_records) {
  start_federation();
  Agent& agent = add_agent(options("n1"), {endpoint("a")});
  ASSERT_TRUE(until([this] { return records() == 1; }));
  EXPECT_TRUE(stop(agent, 10s));
  ASSERT_TRUE(until([this] { return federation_->agents.open_streams() == 0; }));
  EXPECT_EQ(records(), 1U);
}

TEST_F(GrpcTest, a_stop_ends_where_nobody_answers) {
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::listen(silent, 16), 0);  // at a port of the kernel's choice; nobody accepts
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&bound), &size), 0);
  address_ = "127.0.0.1:" + std::to_string(ntohs(bound.sin_port));
  Agent& agent = add_agent(options("n1"), {endpoint("a")});
  pass(50ms);
  agent.syncer.leave(true);
  EXPECT_TRUE(stop(agent, 100ms));
  ::close(silent);
}

TEST_F(GrpcTest, a_stop_ends_while_it_waits_to_try_again) {
  address_ = "127.0.0.1:1";
  Agent& agent = add_agent(options("n1"), {endpoint("a")});
  ASSERT_TRUE(until([&] { return agent.syncer.state() == Syncer::State::Offline; }));
  EXPECT_TRUE(stop(agent, 10s));
}

// Guards the syncer, which a reporter that is gone must not touch.
TEST_F(GrpcTest, a_reporter_that_is_gone_does_not_try_again) {
  start_federation();
  federation_->agents.shut_down();  // everybody is told to come back in a second
  Agent& agent = add_agent(options("n1"), {endpoint("a")});
  ASSERT_TRUE(until([&] { return agent.syncer.state() == Syncer::State::Offline; }));
  EXPECT_THAT(agent.reporter->last_error(), HasSubstr("ending"));
  agent.reporter.reset();
  pass(1500ms);
  EXPECT_EQ(federation_->agents.counters().sessions, 1U);
}

TEST_F(GrpcTest, a_service_ends_at_once_though_agents_stay) {
  start_federation();
  for (int i = 0; i < 5; ++i) add_agent(options("n" + std::to_string(i)), {endpoint("a")});
  ASSERT_TRUE(until([this] { return records() == 5; }));
  const TimePoint begin = clock_.now();
  stop_federation();
  EXPECT_LT(clock_.now() - begin, 1500ms) << "it waited for its patience with open calls";
}

}  // namespace
}  // namespace meshdns::federation
