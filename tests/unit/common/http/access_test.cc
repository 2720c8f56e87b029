// Who is answered at an HTTP port: by where the request comes from, by the Host that it names, and by its path.
#include "common/http/access.h"

#include <gtest/gtest.h>

namespace meshdns::http {
namespace {

/// Returns the status of the refusal, followed by its sentence; "answered" = there is none.
std::string outcome(const Access& access, const Visit& visit) {
  const auto refusal = access.refuse(visit);
  return refusal ? std::to_string(refusal->status) + ": " + refusal->why : "answered";
}

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

TEST(Access, on_loopback_every_path_is_answered_to_whoever_names_this_server) {
  const Access access({address("127.0.0.1"), {"mesh.example.net"}, {}});
  for (const char* path : {"/metrics", "/healthz", "/readyz", "/v1/nodes", "/nothing"}) {
    for (const char* host : {"localhost:7401", "127.0.0.1", "[::1]:7401", "mesh.example.net"}) {
      EXPECT_EQ(outcome(access, {address("127.0.0.1"), path, {host}}), "answered") << path << " " << host;
      EXPECT_EQ(outcome(access, {address("::1"), path, {host}}), "answered") << path << " " << host;
      EXPECT_EQ(outcome(access, {address("::ffff:127.0.0.1"), path, {host}}), "answered") << path << " " << host;
    }
  }
}

TEST(Access, on_loopback_another_name_or_address_is_refused) {
  const Access access({address("127.0.0.1"), {}, {"metrics", "health"}});
  for (const char* path : {"/metrics", "/healthz", "/v1/nodes"}) {
    for (const char* host : {"evil.example", "127.0.0.1.evil.example:7401", "10.0.0.1", "0.0.0.0:7401", ""}) {
      EXPECT_EQ(outcome(access, {address("127.0.0.1"), path, {host}}).substr(0, 4), "403:") << path << " " << host;
    }
  }
  EXPECT_EQ(
      outcome(access, {address("127.0.0.1"), "/", {"evil\x1b.example"}}),
      "403: Host evil\\u001b.example is not this server, and may be a page of another site that makes its own name "
      "point here (DNS rebinding): ask by address, or add the name to admin.hosts");
}

TEST(Access, a_wildcard_listens_on_every_address) {
  for (const char* any : {"0.0.0.0", "::"}) {
    const Access access({address(any), {}, {}});
    for (const char* host : {"10.0.0.1:7401", "[fd00::1]", "localhost"}) {
      EXPECT_EQ(outcome(access, {address("127.0.0.1"), "/v1/nodes", {host}}), "answered") << host;
    }
    EXPECT_NE(outcome(access, {address("127.0.0.1"), "/v1/nodes", {"evil.example"}}), "answered");
  }
}

TEST(Access, peers_beyond_loopback_get_the_public_parts_by_any_name) {
  const IpAddress peer = address("10.0.0.9");
  const Access both({address("0.0.0.0"), {}, {"metrics", "health"}});
  for (const char* path : {"/metrics", "/healthz", "/readyz"}) {
    for (const char* host : {"10.0.0.1:7401", "meshdnsd.meshdns.svc:7401"}) {
      EXPECT_EQ(outcome(both, {peer, path, {host}}), "answered") << path << " " << host;
    }
  }
  for (const char* path : {"/v1/nodes", "/", "/metrics/", "/healthz/x"}) {
    EXPECT_EQ(outcome(both, {peer, path, {"10.0.0.1"}}),
              "403: admin.public allows only /healthz, /metrics, /readyz to 10.0.0.9: ask for everything else on "
              "loopback, on the server's host");
  }
  const Access health({address("::"), {}, {"health"}});
  EXPECT_EQ(outcome(health, {peer, "/healthz", {"x"}}), "answered");
  EXPECT_NE(outcome(health, {peer, "/metrics", {"x"}}), "answered");
  const Access none({address("10.0.0.1"), {}, {}});
  EXPECT_EQ(outcome(none, {address("fd00::9"), "/healthz", {"10.0.0.1"}}).substr(0, 44),
            "403: admin.public allows nothing to fd00::9:");
}

TEST(Access, a_request_has_one_host) {
  const Access access({address("0.0.0.0"), {}, {"health"}});
  for (const char* peer : {"127.0.0.1", "10.0.0.9"}) {
    const std::string wrong = "400: an HTTP/1.1 request needs exactly one Host header";
    EXPECT_EQ(outcome(access, {address(peer), "/healthz", {}}), wrong);
    EXPECT_EQ(outcome(access, {address(peer), "/healthz", {"localhost", "localhost"}}), wrong);
    EXPECT_EQ(outcome(access, {address(peer), "/healthz", {"localhost", "evil.example"}, false}), wrong);
    EXPECT_EQ(outcome(access, {address(peer), "/healthz", {}, false}), "answered") << "no browser speaks HTTP/1.0";
  }
}

}  // namespace
}  // namespace meshdns::http
