#include "agent/discovery/registrations.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "common/base/whole_file.h"
#include "tests/support/temporary_folder.h"

namespace meshdns::discovery {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using What = RegistrationChange::What;

std::string entry(const std::string& service, int port, const std::string& more = "") {
  return "- {service: " + service + ", namespace: shop, ports: [{name: http, number: " + std::to_string(port) + "}]" +
         more + "}\n";
}

std::string key(const std::string& service, int port, const std::string& address = "10.0.0.1") {
  return "shop/" + service + "/" + address + ":" + std::to_string(port);
}

class RegistrationsTest : public testing::Test {
 protected:
  RegistrationsTest() { start(); }

  /// As after a restart of the agent.
  void start(RegistrationLimits limits = {}) {
    local_.emplace(path(), Defaults{{IpAddress::parse("10.0.0.1").value()}}, limits);
    local_->load();
  }
  std::string path() const { return folder_.path("state/n1.registrations.yaml"); }
  Result<RegistrationChanges> put(const std::string& entries) {
    return local_->put("endpoints:\n" + entries, "web.yaml", [this](const std::string& key) { return owners_[key]; });
  }
  Result<RegistrationChanges> remove(const std::string& target) {
    return local_->remove(target, [this](const std::string& key) { return owners_[key]; });
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> out;
    for (const auto& found : local_->endpoints()) out.push_back(found.key);
    return out;
  }
  void write(const std::string& text) {
    std::filesystem::create_directories(folder_.path("state"));
    std::ofstream(path()) << text;
  }

  test::TemporaryFolder folder_;
  std::map<std::string, std::string> owners_;
  std::optional<Registrations> local_;
};

TEST_F(RegistrationsTest, nothing_is_registered_at_first_and_that_is_complete) {
  EXPECT_EQ(local_->state(), (SourceState{true, ""}));
  EXPECT_THAT(keys(), ElementsAre());
  EXPECT_FALSE(std::filesystem::exists(folder_.path("state")));
}

TEST_F(RegistrationsTest, what_is_registered_is_there_after_a_restart) {
  EXPECT_THAT(put(entry("web", 80, ", labels: {v: '1.10'}") + entry("db", 81)).value(),
              ElementsAre(RegistrationChange{key("web", 80), What::Registered},
                          RegistrationChange{key("db", 81), What::Registered}));
  const auto before = local_->endpoints();
  EXPECT_EQ(before.at(0).endpoint.source, "local");
  start();
  EXPECT_EQ(local_->endpoints(), before);
  EXPECT_EQ(local_->state(), (SourceState{true, ""}));
  struct stat info {};
  ASSERT_EQ(::stat(folder_.path("state").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(RegistrationsTest, the_same_key_again_replaces_and_an_equal_one_changes_nothing) {
  put(entry("web", 80)).value();
  EXPECT_EQ(put(entry("web", 80)).value().at(0).what, What::Unchanged);
  EXPECT_EQ(put(entry("web", 80, ", weight: 3")).value().at(0).what, What::Changed);
  EXPECT_EQ(local_->endpoints().at(0).endpoint.weight, 3U);
  EXPECT_EQ(local_->registrations().size(), 1U);
}

TEST_F(RegistrationsTest, one_wrong_entry_registers_nothing_and_all_problems_are_told) {
  const auto refused = put(entry("web", 80) + entry("db", 99999) + "- {srevice: x}\n");
  EXPECT_EQ(refused.error().code(), Code::InvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("web.yaml:3:"));
  EXPECT_THAT(refused.error().message(), HasSubstr("did you mean \"service\"?"));
  EXPECT_THAT(keys(), ElementsAre());
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(RegistrationsTest, two_equal_keys_in_one_file_are_refused) {
  EXPECT_THAT(put(entry("web", 80) + entry("web", 80, ", weight: 2")).error().message(),
              HasSubstr(key("web", 80) + " is there twice"));
}

TEST_F(RegistrationsTest, a_key_of_another_source_is_refused) {
  owners_[key("web", 80)] = "static";
  const auto refused = put(entry("db", 81) + entry("web", 80));
  EXPECT_EQ(refused.error().code(), Code::AlreadyExists);
  EXPECT_THAT(refused.error().message(), HasSubstr("listed by the source static"));
  EXPECT_THAT(keys(), ElementsAre());
}

TEST_F(RegistrationsTest, a_service_or_a_key_is_removed) {
  put(entry("web", 80) + entry("web", 81) + entry("db", 82)).value();
  EXPECT_THAT(remove(key("web", 81)).value(), ElementsAre(RegistrationChange{key("web", 81), What::Removed}));
  EXPECT_THAT(keys(), ElementsAre(key("web", 80), key("db", 82)));
  put(entry("web", 81)).value();
  EXPECT_EQ(remove("shop/web").value().size(), 2U);
  start();
  EXPECT_THAT(keys(), ElementsAre(key("db", 82)));
}

TEST_F(RegistrationsTest, what_is_not_registered_cannot_be_removed) {
  put(entry("web", 80)).value();
  EXPECT_EQ(remove("shop/wbe").error(), Error(Code::NotFound, "shop/wbe is not registered (did you mean shop/web?)"));
  owners_["shop/db"] = "static";
  EXPECT_EQ(remove("shop/db").error().message(), "shop/db is not registered: it is listed by the source static");
}

TEST_F(RegistrationsTest, there_is_a_bound) {
  start({.entries = 2, .entry_bytes = 200});
  put(entry("web", 80) + entry("web", 81)).value();
  EXPECT_EQ(put(entry("web", 82)).error().code(), Code::ResourceExhausted);
  EXPECT_EQ(put(entry("web", 81, ", weight: 2")).value().at(0).what, What::Changed);
  EXPECT_EQ(put(entry("web", 81, ", labels: {x: " + std::string(200, 'y') + "}")).error().code(),
            Code::ResourceExhausted);
}

TEST_F(RegistrationsTest, a_file_that_cannot_be_written_registers_nothing) {
  put(entry("web", 80)).value();
  std::filesystem::create_directory(path() + ".next");  // where the next content is written first
  EXPECT_EQ(put(entry("db", 81)).error().code(), Code::Unavailable);
  EXPECT_EQ(remove("shop/web").error().code(), Code::Unavailable);
  EXPECT_THAT(keys(), ElementsAre(key("web", 80)));
}

TEST_F(RegistrationsTest, a_broken_file_is_never_replaced) {
  const std::string broken = "endpoints: [{service: web, namesp";
  write(broken);
  start();
  EXPECT_FALSE(local_->state().listed);
  EXPECT_THAT(local_->state().error, HasSubstr(path() + ": line 1"));
  const auto refused = put(entry("db", 81));
  EXPECT_EQ(refused.error().code(), Code::FailedPrecondition);
  EXPECT_THAT(refused.error().message(), HasSubstr("correct this file or move it away"));
  EXPECT_EQ(read_file(path()).value(), broken);
  write("endpoints:\n" + entry("web", 80));
  EXPECT_EQ(put(entry("db", 81)).value().size(), 1U);
  EXPECT_THAT(keys(), ElementsAre(key("web", 80), key("db", 81)));
  EXPECT_TRUE(local_->state().listed);
}

TEST_F(RegistrationsTest, a_file_that_breaks_while_the_agent_runs_takes_nothing_away) {
  put(entry("web", 80)).value();
  write("[}");
  local_->load();
  EXPECT_THAT(keys(), ElementsAre(key("web", 80)));
  EXPECT_FALSE(local_->state().listed);
}

TEST_F(RegistrationsTest, an_entry_of_another_version_stays_and_the_others_count) {
  write("endpoints:\n" + entry("web", 80) + "- {service: db, namespace: shop, ports: [{number: 1}], tariff: gold}\n");
  start();
  EXPECT_THAT(keys(), ElementsAre(key("web", 80)));
  EXPECT_FALSE(local_->state().listed);
  EXPECT_THAT(local_->state().error, HasSubstr("shop/db cannot be read: endpoints[0].tariff: unknown field"));
  put(entry("cache", 82)).value();
  start();
  EXPECT_EQ(local_->registrations().size(), 3U);
  EXPECT_THAT(read_file(path()).value(), HasSubstr("gold"));
  EXPECT_THAT(remove("shop/db").value(), ElementsAre(RegistrationChange{"shop/db", What::Removed}));
  EXPECT_TRUE(local_->state().listed);
}

TEST_F(RegistrationsTest, entries_without_an_address_follow_the_node) {
  put(entry("web", 80) + entry("db", 81, ", address: 10.0.0.7")).value();
  local_->set_defaults({{IpAddress::parse("10.0.0.2").value()}});
  EXPECT_THAT(keys(), ElementsAre(key("web", 80, "10.0.0.2"), key("db", 81, "10.0.0.7")));
}

TEST_F(RegistrationsTest, a_key_that_becomes_double_counts_once_and_is_told) {
  put(entry("web", 80) + entry("web", 80, ", address: 10.0.0.2")).value();
  local_->set_defaults({{IpAddress::parse("10.0.0.2").value()}});
  EXPECT_THAT(keys(), ElementsAre(key("web", 80, "10.0.0.2")));
  EXPECT_TRUE(local_->state().listed);
  EXPECT_THAT(local_->state().error, HasSubstr("is registered twice"));
}

}  // namespace
}  // namespace meshdns::discovery
