#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/convert/features.h"
#include "common/convert/report_convert.h"
#include "common/time/sim_clock.h"
#include "dnsd/federation/agents.h"
#include "dnsd/federation/report_session.h"
#include "tests/support/fakes/fake_port.h"

namespace meshdns::federation {

/// A record as an agent encodes it.
struct Sample {
  std::string key = "a";
  std::string service = "web";
  model::HealthState state = model::HealthState::Serving;
  std::string source = "files";
  std::uint32_t weight = 1;
  std::uint32_t streak = 0;
  std::uint32_t needed = 0;
  std::string uid{};
  std::uint16_t port = 0;  // TCP; 0 = none
  std::string address = "10.0.0.11";
};

inline std::string encoded(const Sample& sample) {
  model::Endpoint out;
  out.key = sample.key;
  out.uid = sample.uid;
  out.source = sample.source;
  out.namespace_ = "shop";
  out.service = sample.service;
  out.addresses = {IpAddress::parse(sample.address).value()};
  if (sample.port != 0) out.ports = {{.name = "http", .number = sample.port}};
  out.weight = sample.weight;
  out.health.state = sample.state;
  out.health.streak = sample.streak;
  out.health.needed = sample.needed;
  return convert::to_wire(out, TimePoint{}).SerializeAsString();
}

inline std::uint64_t digest_of(const std::vector<Sample>& samples) {
  std::uint64_t digest = 0;
  for (const Sample& sample : samples) digest += convert::record_hash(sample.key, encoded(sample));
  return digest;
}

struct Identity {
  std::string node = "n1";
  std::string uid = "uid-1";
  std::string boot = "boot-1";
  std::string cluster = "eu-1";
  model::Locality place{};  // without the cluster
  std::vector<std::string> addresses{};
  std::vector<std::string> prefixes{};
  bool names_all_pods = true;  // false = an agent of an older version
  bool maps_ports = false;
};

/// One agent's stream, as the agent sees it.
class FakeAgent {
 public:
  /// here: it runs on the federation's machine
  explicit FakeAgent(Agents& agents, bool here = true, const std::string& address = "10.9.9.9",
                     identity::Caller caller = identity::Caller::everybody())
      : port_(std::make_shared<test::FakePort<v1::ReportReply>>()) {
    session_ = agents.open(port_, std::make_shared<Pulse>(), {here, address, std::move(caller)});
  }

  void say(const v1::AgentMessage& message) { session_->received(message); }

  void hello(const Identity& who = {}, std::uint64_t digest = 0, std::uint64_t last_epoch = 0) {
    v1::AgentMessage message;
    v1::Hello& hello = *message.mutable_hello();
    hello.set_protocol(1);
    hello.mutable_node()->set_name(who.node);
    *hello.mutable_node()->mutable_locality() = convert::to_wire(who.place);
    hello.mutable_node()->mutable_locality()->set_cluster(who.cluster);
    for (const std::string& address : who.addresses) {
      const IpAddress ip = IpAddress::parse(address).value();
      hello.mutable_node()->add_addresses(std::string(ip.bytes().begin(), ip.bytes().end()));
    }
    for (const std::string& text : who.prefixes) hello.mutable_node()->add_prefixes(text);
    hello.set_instance_uid(who.uid);
    hello.set_boot_id(who.boot);
    hello.set_digest(digest);
    hello.set_last_epoch(last_epoch);
    if (who.names_all_pods) hello.add_features(convert::kWithoutService);
    if (who.maps_ports) hello.add_features(convert::kPortMapping);
    say(message);
    learn_epoch();
  }
  /// The next message of the session; its body is for the caller.
  v1::AgentMessage message() {
    v1::AgentMessage out;
    learn_epoch();
    out.set_epoch(epoch_);
    out.set_sequence(++sequence_);
    return out;
  }
  struct Part {  // of a Full
    std::uint32_t number = 0;
    bool last = true;
    std::vector<std::string> listed = {"files"};
  };
  void full(const std::vector<std::string>& records, const Part& part = {0, true, {"files"}}) {
    v1::AgentMessage message = this->message();
    message.mutable_full()->set_part(part.number);
    message.mutable_full()->set_last(part.last);
    for (const auto& bytes : records) message.mutable_full()->add_endpoints(bytes);
    for (const auto& name : part.listed) {
      auto& source = *message.mutable_full()->add_sources();
      source.set_name(name);
      source.set_listed(true);
    }
    say(message);
  }
  void delta(const std::vector<std::string>& upserts, const std::vector<std::string>& removals = {}) {
    v1::AgentMessage message = this->message();
    for (const auto& bytes : upserts) message.mutable_delta()->add_upserts(bytes);
    for (const auto& key : removals) message.mutable_delta()->add_removals()->set_key(key);
    say(message);
  }
  void heartbeat(std::uint64_t digest = 0) {
    v1::AgentMessage message = this->message();
    message.mutable_heartbeat()->set_digest(digest);
    say(message);
  }
  void leave(bool withdraw) {
    v1::AgentMessage message = this->message();
    message.mutable_leave()->set_withdraw(withdraw);
    say(message);
  }
  /// It has read what was sent.
  void written() { session_->written(); }
  /// The stream has ended.
  void end() { session_->closed(); }

  test::FakePort<v1::ReportReply>& port() { return *port_; }
  /// The last thing that was said to it.
  const v1::ReportReply& heard() const {
    static const v1::ReportReply kNothing;
    return port_->sent.empty() ? kNothing : port_->sent.back();
  }
  bool welcomed() {
    learn_epoch();
    return epoch_ != 0;
  }
  std::uint64_t epoch() const { return epoch_; }

 private:
  void learn_epoch() {
    for (const auto& reply : port_->sent) {
      if (reply.has_welcome()) epoch_ = reply.welcome().epoch();
    }
  }

  std::shared_ptr<test::FakePort<v1::ReportReply>> port_;
  std::shared_ptr<ReportSession> session_;
  std::uint64_t epoch_ = 0;
  std::uint64_t sequence_ = 0;
};

/// A federation in simulated time, swept as the daemon does it.
class FederationTest : public testing::Test {
 protected:
  /// identities: certificates say who a node is
  explicit FederationTest(bool identities = false) : identities_(identities) { sweep_forever(); }

  FakeAgent& connect() { return *agents_of_test_.emplace_back(std::make_unique<FakeAgent>(agents_)); }
  /// One that was welcomed and has sent these.
  FakeAgent& connected(const std::vector<Sample>& samples, const Identity& who = {}) {
    FakeAgent& agent = connect();
    agent.hello(who);
    std::vector<std::string> records;
    for (const Sample& sample : samples) records.push_back(encoded(sample));
    agent.full(records);
    return agent;
  }
  void advance(Duration by) { clock_.advance(by); }
  /// Time that an agent fills with heartbeats.
  void advance_with(FakeAgent& agent, Duration by, std::uint64_t digest) {
    for (Duration done{}; done < by; done += 1s) {
      advance(1s);
      agent.heartbeat(digest);
    }
  }

  std::vector<std::string> keys() const {
    std::vector<std::string> out;
    for (const auto& [key, endpoint] : catalog_.records().endpoints) out.push_back(key);
    return out;
  }
  const model::Endpoint& record(const std::string& key) const { return catalog_.records().endpoints.at(key); }
  model::NodeStatus status(const std::string& node = "eu-1/n1") const {
    const auto found = catalog_.records().statuses.find(node);
    return found == catalog_.records().statuses.end() ? model::NodeStatus{} : found->second;
  }

  const bool identities_;
  SimClock clock_;
  catalog::Catalog catalog_;
  int changes_ = 0;
  Agents agents_{{.catalog = catalog_,
                  .clock = clock_,
                  .timers = clock_,
                  .instance = "eu-1/a",
                  .changed = [this] { ++changes_; },
                  .rates = {.known = 1e6, .full = 1e6},
                  .identities = identities_,
                  .audit = [this](const log::AuditEntry& entry) { audited_.push_back(entry); },
                  .mappings = {[this] { return std::exchange(mappings_changed_, {}); },
                               [this](const std::string& node, v1::Settings& out) { write_mappings(node, out); }}}};
  std::vector<log::AuditEntry> audited_;
  std::set<std::string> mappings_changed_;       // nodes
  std::map<std::string, std::uint32_t> mapped_;  // by node: the number that its only endpoint shall be reached at
  bool mappings_known_ = true;
  std::vector<std::unique_ptr<FakeAgent>> agents_of_test_;

 private:
  void write_mappings(const std::string& node, v1::Settings& out) const {
    if (!mappings_known_) return;
    const auto found = mapped_.find(node);
    v1::PortMappings& mappings = *out.mutable_mappings();
    if (found != mapped_.end()) mappings.add_ports()->set_number(found->second);
  }
  void sweep_forever() {
    clock_.after(Leases::sweep_interval(), [this] {
      agents_.sweep();
      sweep_forever();
    });
  }
};

}  // namespace meshdns::federation
