// The checks tcp, http and https as files have them.
#include <gtest/gtest.h>

#include "agent/discovery/endpoints_file.h"

namespace meshdns::discovery {
namespace {

using probes::HttpCheck;
using probes::TcpCheck;
using probes::TlsOptions;

/// Returns what the only check of a file does.
/// check: as in the file
probes::AnyCheck what(const std::string& check) {
  const auto found = read_endpoints(
      "endpoints: [{service: a, namespace: shop, ports: [{name: web, number: 80}], checks: [" + check + "]}]", "a.yaml",
      {{IpAddress::v4(0x0a000001)}});
  EXPECT_TRUE(found) << config::problems_text(found.error());
  return found ? found->at(0).checks.at(0).what : probes::AnyCheck{};
}

TEST(CheckReaderNet, tcp) {
  EXPECT_EQ(what(R"({tcp: {port: web, send: "PING\r\n", expect: PONG}})"),
            probes::AnyCheck(TcpCheck{.to = {80, {}}, .send = "PING\r\n", .expect = "PONG"}));
  EXPECT_EQ(what("{tcp: {port: 81, tls: true}}"), probes::AnyCheck(TcpCheck{.to = {81, {}}, .tls = TlsOptions{}}));
  EXPECT_EQ(what("{tcp: {port: 81, tls: true, tls_options: {server_name: a.example, verify: false}}}"),
            probes::AnyCheck(TcpCheck{.to = {81, {}}, .tls = TlsOptions{.server_name = "a.example", .verify = false}}));
}

TEST(CheckReaderNet, http) {
  EXPECT_EQ(what("{http: {port: web}}"), probes::AnyCheck(HttpCheck{.to = {80, {}}}));
  const HttpCheck whole{.to = {80, IpAddress::v4(0x7f000001)},
                        .method = "POST",
                        .path = "/a",
                        .host = "a.example",
                        .headers = {{"X-A", "b"}},
                        .status = {{200, 299}, {401, 401}},
                        .contains = "ok",
                        .regex = "o."};
  EXPECT_EQ(what("{http: {port: web, address: 127.0.0.1, method: POST, path: /a, host: a.example, headers: {X-A: b}, "
                 "status: [200-299, 401], body: {contains: ok, regex: o.}}}"),
            probes::AnyCheck(whole));
}

// Guards files that were written before `status` was a list.
TEST(CheckReaderNet, one_status_without_a_list) {
  EXPECT_EQ(what("{http: {port: web, status: 204}}"),
            probes::AnyCheck(HttpCheck{.to = {80, {}}, .status = {{204, 204}}}));
}

TEST(CheckReaderNet, https) {
  EXPECT_EQ(what("{https: {port: web}}"), probes::AnyCheck(HttpCheck{.to = {80, {}}, .tls = TlsOptions{}}));
  EXPECT_EQ(what("{https: {port: web, tls_options: {ca: /a, cert: /b, key: /c}}}"),
            probes::AnyCheck(HttpCheck{.to = {80, {}}, .tls = TlsOptions{.ca = "/a", .cert = "/b", .key = "/c"}}));
}

}  // namespace
}  // namespace meshdns::discovery
