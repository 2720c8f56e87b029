#pragma once

#include <string>
#include <utility>

#include "agent/admin/agent.h"
#include "agent/admin/commands.h"
#include "common/time/duration_text.h"

namespace meshdns::agent::admin {

/// An agent that says what the test wants.
struct FakeAgent : Agent {
  v1::AgentStatus status() override {
    v1::AgentStatus out;
    out.set_node("n1");
    auto& endpoint = *out.add_endpoints();
    endpoint.set_namespace_("shop");
    endpoint.set_for_("12s");
    return out;
  }
  std::string unready() override { return trouble; }
  std::string metrics() override { return "meshdns_agent_connected 1\n"; }
  Leaving leave() override {
    ++asked_to_leave;
    return leaving;
  }

  std::string trouble = "discovery was not read yet";
  int asked_to_leave = 0;
  Leaving leaving;
};

/// Notes the calls as text.
struct FakeCommands : Commands {
  using Answer = Result<v1::AgentChanges>;

  Answer register_endpoints(const std::string& text, const std::string& file) override {
    return answer("register", file + " " + text);
  }
  Answer deregister(const std::string& target) override { return answer("deregister", target); }
  v1::AgentRegistrations registrations() override {
    v1::AgentRegistrations out;
    out.add_registrations()->set_key("shop/web/10.0.0.1:80");
    return out;
  }
  Answer push(const std::string& target, Said said, const std::string& detail) override {
    const char* word = said == Said::Up ? "up" : said == Said::Down ? "down" : "warn";
    return answer("push", target + " " + word + " " + detail);
  }
  Answer drain(const std::string& target, const std::string& reason, std::optional<Duration> length) override {
    return answer("drain", target + " " + (length ? duration_text(*length) : "ever") + " " + reason);
  }
  Answer undrain(const std::string& target) override { return answer("undrain", target); }
  v1::AgentDrains drains() override {
    v1::AgentDrains out;
    out.add_drains()->set_reason("kernel");
    return out;
  }
  void check(const std::string& target, Runs done) override {
    const auto noted = answer("check", target);
    done(noted ? Result<v1::AgentRuns>(v1::AgentRuns()) : noted.error());
  }

  std::string calls;
  std::optional<Error> error;  // the answer to all that change something

 private:
  Answer answer(const std::string& what, const std::string& arguments) {
    calls += what + " " + arguments + "; ";
    if (error) return *error;
    v1::AgentChanges out;
    out.add_changes()->set_what(what);
    return out;
  }
};

}  // namespace meshdns::agent::admin
