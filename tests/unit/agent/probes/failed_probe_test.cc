#include "agent/probes/failed_probe.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

ProbeResult judged(int number, bool has_route = true) { return failed_probe(connect_error(number), 2s, has_route); }

TEST(FailedProbe, a_refusal_and_a_timeout_are_the_endpoints) {
  EXPECT_EQ(judged(ECONNREFUSED), (ProbeResult{Outcome::Refused, "connection refused"}));
  EXPECT_EQ(judged(ETIMEDOUT), (ProbeResult{Outcome::Timeout, "timeout after 2s"}));
  EXPECT_EQ(judged(ECONNRESET), (ProbeResult{Outcome::Failure, "connection reset by peer"}));
  EXPECT_EQ(failed_probe({Code::DeadlineExceeded, "timeout"}, 1500ms, true).detail, "timeout after 1s500ms");
}

TEST(FailedProbe, what_this_host_lacks_is_unknown) {
  EXPECT_EQ(judged(EMFILE), (ProbeResult{Outcome::Unknown, "out of file descriptors"}));
  EXPECT_EQ(judged(ENFILE).outcome, Outcome::Unknown);
  EXPECT_EQ(judged(EADDRNOTAVAIL).outcome, Outcome::Unknown);
  EXPECT_EQ(judged(ENOBUFS).outcome, Outcome::Unknown);
}

TEST(FailedProbe, unreachable_counts_only_when_the_word_comes_from_afar) {
  EXPECT_EQ(judged(EHOSTUNREACH, true), (ProbeResult{Outcome::Failure, "no route to host"}));
  EXPECT_EQ(judged(EHOSTUNREACH, false), (ProbeResult{Outcome::Unknown, "no route to host"}));
  EXPECT_EQ(judged(ENETUNREACH, false), (ProbeResult{Outcome::Unknown, "network is unreachable"}));
}

// The HTTP client words its errors itself.
TEST(FailedProbe, knows_the_words_of_the_http_client) {
  EXPECT_EQ(failed_probe({Code::Unavailable, "connection refused"}, 2s, true).outcome, Outcome::Refused);
  EXPECT_EQ(failed_probe({Code::Unavailable, "cannot assign requested address"}, 2s, true).outcome, Outcome::Unknown);
  EXPECT_EQ(failed_probe({Code::DataLoss, "not an HTTP answer: bad version"}, 2s, true),
            (ProbeResult{Outcome::Failure, "not an HTTP answer: bad version"}));
}

TEST(FailedProbe, the_loopback_always_has_a_route_and_the_broadcast_address_none) {
  EXPECT_TRUE(has_route(SocketAddress::parse("127.0.0.1:1").value()));
  EXPECT_FALSE(has_route(SocketAddress::parse("255.255.255.255:1").value()));
}

}  // namespace
}  // namespace meshdns::probes
