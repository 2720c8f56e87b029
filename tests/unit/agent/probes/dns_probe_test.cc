#include "agent/probes/dns_probe.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "tests/unit/agent/probes/dns_answers.h"
#include "tests/unit/agent/probes/held.h"
#include "tests/unit/agent/probes/loopback.h"
#include "tests/unit/agent/probes/tcp_server.h"
#include "tests/unit/agent/probes/udp_server.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;
using Messages = std::vector<std::string>;
using Then = TcpServer::Answer::Then;

constexpr std::uint64_t kSeed = 11;

std::string framed(const std::string& message) {
  return std::string{static_cast<char>(message.size() >> 8), static_cast<char>(message.size())} + message;
}

/// Returns the message with another id.
std::string with_other_id(std::string message) {
  message[0] = static_cast<char>(message[0] ^ 1);
  return message;
}

/// A server for UDP and TCP on one port. Each question is answered by `says`, over TCP by `says_by_tcp`.
class DnsProbeTest : public testing::Test {
 protected:
  using Says = std::function<Messages(std::string_view)>;

  ProbeResult ask(DnsCheck check, Duration timeout = 20s) {
    check.name = "a.mesh";
    DnsProbe probe(loop_, udp_.at(), std::move(check), kSeed);
    return run_probe(loop_, probe, timeout);
  }
  ProbeResult ask(DnsCheck check, Says says, Duration timeout = 20s) {
    says_ = std::move(says);
    return ask(std::move(check), timeout);
  }
  /// Answers over TCP as `answers` does; the question comes without its length.
  void serve_tcp(std::function<TcpServer::Answer(std::string_view)> answers) {
    tcp_.emplace(
        loop_, [answers = std::move(answers)](std::string_view bytes) { return answers(bytes.substr(2)); },
        udp_.at().port);
  }

  process::EventLoop loop_;
  Says says_ = [](std::string_view question) { return Messages{dns_answer(question, 0, {"10.0.0.1"})}; };
  UdpServer udp_{loop_, [this](std::string_view question) { return says_(question); }};
  std::optional<TcpServer> tcp_;
};

const std::optional<IpAddress> kOne = IpAddress::v4(0x0A000001);

/// What a server answers to a question, and the verdict.
struct Case {
  const char* what;
  DnsCheck check;
  std::function<std::string(std::string_view)> answer;
  ProbeResult result;
};

TEST_F(DnsProbeTest, the_answer_decides) {
  const auto answers = [](int rcode, std::initializer_list<const char*> addresses = {}) {
    return [rcode, list = std::vector<const char*>(addresses)](std::string_view question) {
      if (list.empty()) return dns_answer(question, rcode);
      return list.size() == 1 ? dns_answer(question, rcode, {list[0]})
                              : dns_answer(question, rcode, {list[0], list[1]});
    };
  };
  const std::array cases = {
      Case{"the code is enough", {}, answers(0), {Outcome::Success, ""}},
      Case{"another code", {}, answers(2), {Outcome::Failure, "SERVFAIL, expected NOERROR"}},
      Case{"an unnamed code", {}, answers(9), {Outcome::Failure, "rcode 9, expected NOERROR"}},
      Case{"a code that is wanted", {.rcode = "NXDOMAIN"}, answers(3), {Outcome::Success, ""}},
      Case{"a name that should not be there",
           {.rcode = "NXDOMAIN"},
           answers(0, {"10.0.0.1"}),
           {Outcome::Failure, "NOERROR, expected NXDOMAIN"}},
      Case{"the address", {.expect = kOne}, answers(0, {"10.0.0.2", "10.0.0.1"}), {Outcome::Success, ""}},
      Case{"another address",
           {.expect = kOne},
           answers(0, {"10.0.0.2", "10.0.0.3"}),
           {Outcome::Failure, "the answer has no 10.0.0.1: it has 10.0.0.2, 10.0.0.3"}},
      Case{"no address",
           {.expect = kOne},
           answers(0),
           {Outcome::Failure, "the answer has no 10.0.0.1: it has no addresses"}},
      Case{"IPv6",
           {.type = "AAAA", .expect = IpAddress::parse("fd00::1").value()},
           answers(0, {"fd00::1"}),
           {Outcome::Success, ""}},
      Case{"other types", {.type = "SRV"}, answers(0), {Outcome::Success, ""}},
      Case{"records that are cut off",
           {},
           [](std::string_view question) {
             return dns_answer(question, 0, {"10.0.0.1"}).substr(0, question.size() + 9);
           },
           {Outcome::Failure, "malformed answer"}},
  };
  for (const auto& [what, check, answer, result] : cases) {
    EXPECT_EQ(ask(check, [&answer](std::string_view question) { return Messages{answer(question)}; }), result) << what;
  }
}

TEST_F(DnsProbeTest, what_is_no_answer_to_the_question_is_ignored) {
  const auto noise = [](std::string_view question) {
    return Messages{"",
                    "garbage",
                    with_other_id(dns_answer(question, 2)),
                    std::string(question),
                    std::string(4000, '\xff'),
                    dns_answer(question, 0, {"10.0.0.1"})};
  };
  EXPECT_EQ(ask({.expect = kOne}, noise), ProbeResult{Outcome::Success});
  const auto only_noise = [](std::string_view question) {
    return Messages{"garbage", with_other_id(dns_answer(question, 0))};
  };
  EXPECT_EQ(ask({}, only_noise, 100ms),
            (ProbeResult{Outcome::Timeout, "timeout after 100ms; 2 datagrams came that did not answer the question"}));
}

TEST_F(DnsProbeTest, what_comes_from_another_address_is_no_answer) {
  udp_.answer_from_elsewhere();
  EXPECT_EQ(ask({}, 100ms), (ProbeResult{Outcome::Timeout, "timeout after 100ms"}));
}

TEST_F(DnsProbeTest, refusal_and_silence) {
  EXPECT_EQ(ask(
                {}, [](std::string_view) { return Messages{}; }, 50ms),
            (ProbeResult{Outcome::Timeout, "timeout after 50ms"}));
  EXPECT_EQ(ask({.tcp = true}), (ProbeResult{Outcome::Refused, "connection refused"}));
  DnsProbe nobody(loop_, unused_udp_address(loop_), {.name = "a.mesh"}, kSeed);
  EXPECT_EQ(run_probe(loop_, nobody), (ProbeResult{Outcome::Refused, "connection refused"}));
}

TEST_F(DnsProbeTest, each_question_has_an_id_of_its_own) {
  std::vector<std::string> ids;
  says_ = [&](std::string_view question) {
    ids.emplace_back(question.substr(0, 2));
    return Messages{dns_answer(question, 0)};
  };
  DnsProbe probe(loop_, udp_.at(), {.name = "a.mesh"}, kSeed);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run_probe(loop_, probe), ProbeResult{Outcome::Success});
  ASSERT_EQ(ids.size(), 3U);
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_NE(ids[1], ids[2]);
}

TEST_F(DnsProbeTest, a_truncated_answer_is_asked_for_over_tcp) {
  serve_tcp([](std::string_view question) {
    return TcpServer::Answer{framed(dns_answer(question, 0, {"10.0.0.2", "10.0.0.1"}))};
  });
  const auto cut = [](std::string_view question) {
    return Messages{dns_cut_answer(question), dns_cut_answer(question)};
  };
  EXPECT_EQ(ask({.expect = kOne}, cut), ProbeResult{Outcome::Success});
  EXPECT_EQ(tcp_->accepted(), 1U);
  tcp_.reset();
  EXPECT_EQ(ask({.expect = kOne}, cut), (ProbeResult{Outcome::Refused, "connection refused"}));
}

TEST_F(DnsProbeTest, over_tcp_only) {
  serve_tcp([](std::string_view question) { return TcpServer::Answer{framed(dns_answer(question, 0, {"10.0.0.1"}))}; });
  EXPECT_EQ(ask({.expect = kOne, .tcp = true}), ProbeResult{Outcome::Success});
  EXPECT_EQ(udp_.received(), 0U);
}

/// What a hostile server does with a question over TCP, and the verdict.
struct Hostile {
  const char* what;
  std::function<TcpServer::Answer(std::string_view)> answer;
  ProbeResult result;
};

TEST_F(DnsProbeTest, hostile_servers_over_tcp) {
  const ProbeResult timeout{Outcome::Timeout, "timeout after 100ms"};
  const ProbeResult early{Outcome::Failure, "connection closed before the answer"};
  const ProbeResult stranger{Outcome::Failure, "what came back is no answer to the question"};
  const std::array cases = {
      Hostile{"says nothing", [](auto) { return TcpServer::Answer{}; }, timeout},
      Hostile{"closes",
              [](auto) {
                return TcpServer::Answer{"", Then::Close};
              },
              early},
      Hostile{"resets",
              [](auto) {
                return TcpServer::Answer{"", Then::Reset};
              },
              {Outcome::Failure, "connection reset by peer"}},
      Hostile{"sends one byte",
              [](auto) {
                return TcpServer::Answer{"\1", Then::Close};
              },
              early},
      Hostile{"sends half",
              [](auto question) {
                const auto whole = framed(dns_answer(question, 0));
                return TcpServer::Answer{whole.substr(0, whole.size() / 2), Then::Close};
              },
              early},
      Hostile{"announces more than it sends",
              [](auto) {
                return TcpServer::Answer{
                    "\xff\xff"
                    "abc"};
              },
              timeout},
      Hostile{"sends an empty message", [](auto) { return TcpServer::Answer{std::string(2, '\0')}; }, stranger},
      Hostile{"sends garbage", [](auto) { return TcpServer::Answer{framed(std::string(500, '\xff'))}; }, stranger},
      Hostile{"answers another question",
              [](auto question) { return TcpServer::Answer{framed(with_other_id(dns_answer(question, 0)))}; },
              stranger},
      Hostile{"cuts its answer",
              [](auto question) { return TcpServer::Answer{framed(dns_cut_answer(question))}; },
              {Outcome::Failure, "the answer is truncated over TCP too"}},
      Hostile{"speaks HTTP",
              [](auto) {
                return TcpServer::Answer{"HTTP/1.1 400 Bad Request\r\n\r\n", Then::Close};
              },
              early},
  };
  for (const auto& [what, answer, result] : cases) {
    serve_tcp(answer);
    const Duration patience = result.outcome == Outcome::Timeout ? Duration(100ms) : Duration(20s);
    EXPECT_EQ(ask({.expect = kOne, .tcp = true}, patience), result) << what;
    tcp_.reset();
  }
}

TEST_F(DnsProbeTest, a_name_that_cannot_be_asked_for_says_nothing_of_the_endpoint) {
  DnsProbe probe(loop_, udp_.at(), {.name = "a..mesh"}, kSeed);
  EXPECT_EQ(run_probe(loop_, probe).outcome, Outcome::Unknown);
  EXPECT_EQ(udp_.received(), 0U);
}

TEST_F(DnsProbeTest, nothing_is_called_after_its_end) {
  unsigned calls = 0;
  for (const bool tcp : {false, true}) {
    DnsProbe probe(loop_, udp_.at(), {.name = "a.mesh", .tcp = tcp}, kSeed);
    probe.run(20s, [&](const ProbeResult&) { ++calls; });
    probe.run(20s, [&](const ProbeResult&) { ++calls; });
  }
  loop_.after(20ms, [this] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(calls, 0U);
}

// Property: no check leaks a descriptor, a thread or a timer.
TEST_F(DnsProbeTest, nothing_is_left_of_many_runs) {
  std::minstd_rand random(5);
  serve_tcp([&](std::string_view question) {
    if (random() % 2 == 0) return TcpServer::Answer{"", Then::Reset};
    return TcpServer::Answer{framed(dns_answer(question, 0)), Then::Close};
  });
  says_ = [&](std::string_view question) {
    switch (random() % 5) {
      case 0: return Messages{dns_cut_answer(question)};
      case 1: return Messages{dns_answer(question, 2)};
      case 2: return Messages{};
      case 3: return Messages{"garbage", dns_answer(question, 0)};
      default: return Messages{dns_answer(question, 0)};
    }
  };
  const SocketAddress nobody = unused_udp_address(loop_);
  const auto before = Held::now(loop_);
  std::array<unsigned, health::kOutcomes> outcomes{};
  for (int i = 0; i < 10'000; ++i) {
    const auto kind = random() % 10;
    DnsProbe probe(loop_, kind == 0 ? nobody : udp_.at(), {.name = "a.mesh", .tcp = kind == 1}, kSeed);
    if (kind == 2) {
      probe.run(20s, [](const ProbeResult&) { ADD_FAILURE() << "after its end"; });
      continue;
    }
    ++outcomes.at(static_cast<std::size_t>(run_probe(loop_, probe, 300us).outcome));
  }
  const TimerId last = loop_.after(1ms, [this] { loop_.stop(); });  // the server's ends of the last connections
  loop_.run();
  loop_.cancel(last);
  EXPECT_EQ(Held::now(loop_), before);
  for (const auto outcome : {Outcome::Success, Outcome::Failure, Outcome::Timeout, Outcome::Refused}) {
    EXPECT_GT(outcomes.at(static_cast<std::size_t>(outcome)), 100U) << static_cast<int>(outcome);
  }
}

}  // namespace
}  // namespace meshdns::probes
