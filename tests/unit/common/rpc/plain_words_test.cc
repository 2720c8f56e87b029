#include "common/rpc/plain_words.h"

#include <gtest/gtest.h>

#include "common/rpc/attempt_log.h"

namespace meshdns::rpc {
namespace {

// The left sides are what gRPC 1.51 says.
TEST(PlainWords, of_connections_that_cannot_be_made) {
  EXPECT_EQ(plain_words("failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to connect "
                        "to remote host: Connection refused"),
            "connection refused");
  EXPECT_EQ(plain_words("failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7400: Ssl handshake "
                        "failed: SSL_ERROR_SSL: error:0A00010B:SSL routines::wrong version number"),
            "TLS handshake failed: wrong version number");
  EXPECT_EQ(plain_words("failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7400: Tls handshake "
                        "failed: SSL_ERROR_SSL: error:0A000086:SSL routines::certificate verify failed"),
            "TLS handshake failed: certificate verify failed")
      << "with TlsCredentials";
  EXPECT_EQ(plain_words("DNS resolution failed for fed.example:7400: C-ares status is not ARES_SUCCESS qtype=A "
                        "name=fed.example is_balancer=0: Domain name not found"),
            "fed.example:7400 cannot be resolved: domain name not found");
}

TEST(PlainWords, of_connections_that_are_lost) {
  EXPECT_EQ(plain_words("Socket closed"), "the connection was closed");
  EXPECT_EQ(plain_words("recvmsg:Connection reset by peer"), "connection reset by peer");
  EXPECT_EQ(plain_words("keepalive watchdog timeout"), "it did not answer in time");
}

TEST(PlainWords, what_our_own_ends_say_stays) {
  EXPECT_EQ(plain_words("node n1 is connected from elsewhere: 10.0.0.9"),
            "node n1 is connected from elsewhere: 10.0.0.9");
  EXPECT_EQ(plain_words(""), "");
}

TEST(AttemptLog, tells_the_first_failure_at_each_server_and_then_one_a_minute) {
  AttemptLog log(2);
  EXPECT_TRUE(log.failed(5s));
  EXPECT_TRUE(log.failed(5s));
  int told = 0;
  for (Duration passed{}; passed < 10min; passed += 5s) told += log.failed(5s) ? 1 : 0;
  EXPECT_EQ(told, 10);
  log.succeeded();
  EXPECT_TRUE(log.failed(5s));
}

}  // namespace
}  // namespace meshdns::rpc
