#include "dnsd/app/reload.h"

#include <gtest/gtest.h>

#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::dnsd::app {
namespace {

const std::string kFederation =
    "cluster: eu-1\n"
    "zones: [{name: mesh.internal}]\n"
    "data_dir: /tmp/one\n"
    "dns: {listen: [{address: \"127.0.0.1:53\"}], workers: \"2\"}\n"
    "federation: {listen: \"127.0.0.1:7400\"}\n"
    "admin: {listen: \"127.0.0.1:7401\"}\n";
const std::string kReplica =
    "cluster: eu-1\n"
    "roles: [dns]\n"
    "zones: [{name: mesh.internal}]\n"
    "dns: {listen: [{address: \"127.0.0.1:53\"}]}\n"
    "replica: {federation: [\"127.0.0.1:7400\"]}\n";

using Keys = std::vector<std::string>;

class ReloadTest : public testing::Test {
 protected:
  Configuration read(const std::string& text) {
    store::write_bytes(folder_.path("meshdnsd.yaml"), text);
    auto out = load_configuration(folder_.path("meshdnsd.yaml"));
    EXPECT_TRUE(out) << store::message_of(out);
    return *out;
  }
  static std::string with(std::string text, const std::string& what, const std::string& other) {
    const auto at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), other);
  }
  /// The keys that need a restart after the running text has become another.
  Keys needed(const std::string& running, const std::string& next) {
    Configuration after = read(next);
    return keep_what_cannot_change(read(running), after);
  }

  const store::Folder folder_;
};

TEST_F(ReloadTest, each_key_that_needs_a_restart_is_named) {
  const auto changed = [&](const char* what, const char* other) {
    return needed(kFederation, with(kFederation, what, other));
  };
  EXPECT_EQ(changed("/tmp/one", "/tmp/two"), Keys{"data_dir"});
  EXPECT_EQ(changed("eu-1", "eu-2"), Keys{"cluster"});
  EXPECT_EQ(changed("127.0.0.1:53", "127.0.0.1:54"), Keys{"dns.listen"});
  EXPECT_EQ(changed("workers: \"2\"", "workers: \"1\""), Keys{"dns.workers"});
  EXPECT_EQ(changed("7401", "7409"), Keys{"admin"});
  EXPECT_EQ(changed(":7400\"", ":7400\", store: {memory: {}}"), Keys{"federation.store"});
  EXPECT_EQ(changed(":7400\"", ":7400\", insecure: true"), Keys{"federation.insecure"});
  EXPECT_EQ(changed("workers: \"2\"", "workers: \"2\", tcp: {connections: 7}"), Keys{"dns.tcp"});
  EXPECT_EQ(changed("workers: \"2\"", "workers: \"2\", stale_after: 7s"), Keys{});
  EXPECT_EQ(needed(kReplica, with(kReplica, "7400", "7500")), Keys{"replica"});
  const Keys other_role = needed(kFederation, kReplica);
  EXPECT_NE(std::ranges::find(other_role, "roles"), other_role.end());
  EXPECT_NE(std::ranges::find(other_role, "replica"), other_role.end());
}

// The second reload was compared with the first one's file, and nothing was said any more.
TEST_F(ReloadTest, it_is_compared_with_what_runs_until_the_file_says_so_again) {
  Configuration running = read(kFederation);
  const std::string edited = with(with(kFederation, "/tmp/one", "/tmp/two"), "eu-1", "eu-2");
  for (int reload = 0; reload < 3; ++reload) {
    Configuration next = read(edited);
    EXPECT_EQ(keep_what_cannot_change(running, next), (Keys{"cluster", "data_dir"}));
    EXPECT_EQ(next.file.data_dir(), "/tmp/one");
    EXPECT_EQ(next.answers.own.cluster, "eu-1");
    running = std::move(next);
  }
  Configuration back = read(kFederation);
  EXPECT_EQ(keep_what_cannot_change(running, back), Keys{});
}

TEST_F(ReloadTest, what_can_change_is_taken) {
  Configuration next =
      read(with(with(kFederation, "workers: \"2\"", "workers: \"1\", stale_after: 7s"), "mesh.", "other."));
  EXPECT_EQ(keep_what_cannot_change(read(kFederation), next), Keys{"dns.workers"});
  EXPECT_EQ(next.stale_after(), 7s);
  EXPECT_EQ(next.answers.zones.front().name, "other.internal");
  EXPECT_EQ(next.file.dns().workers(), "2");
}

}  // namespace
}  // namespace meshdns::dnsd::app
