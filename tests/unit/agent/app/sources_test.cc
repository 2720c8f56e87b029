#include "agent/app/sources.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/support/temporary_folder.h"

namespace meshdns::agent::app {
namespace {

using discovery::Discovered;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kWeb = "shop/web/10.0.0.1:80";
constexpr const char* kDb = "shop/db/10.0.0.1:81";

/// A source whose endpoints the test sets.
struct PlayedSource : discovery::EndpointSource {
  std::string_view name() const override { return "played"; }
  const std::vector<Discovered>& endpoints() const override { return found; }
  discovery::SourceState state() const override { return told; }

  std::vector<Discovered> found;
  discovery::SourceState told{true, ""};
};

class SourcesTest : public testing::Test {
 protected:
  SourcesTest() {
    std::filesystem::create_directory(folder_.path("endpoints.d"));
    sources_.emplace(folder_.path("endpoints.d"), folder_.path("n1.registrations.yaml"),
                     discovery::Defaults{{IpAddress::parse("10.0.0.1").value()}});
    auto played = std::make_unique<PlayedSource>();
    played_ = played.get();
    sources_->add(std::move(played));
    sources_->load();
    sources_->refresh();
    sources_->gather();
  }

  static std::string entry(const std::string& service, int port) {
    return "- {service: " + service + ", namespace: shop, ports: [{number: " + std::to_string(port) + "}]}\n";
  }
  void write(const std::string& entries) {
    std::ofstream(folder_.path("endpoints.d/a.yaml")) << "endpoints:" << (entries.empty() ? " []\n" : "\n" + entries);
    sources_->refresh();
    sources_->gather();
  }
  Result<discovery::RegistrationChanges> put(const std::string& entries) {
    auto out = sources_->local().put("endpoints:\n" + entries, "x.yaml",
                                     [this](const std::string& key) { return sources_->owner_besides_local(key); });
    sources_->gather();
    return out;
  }
  void play(const std::string& service, int port) {
    Discovered found;
    found.endpoint.namespace_ = "shop";
    found.endpoint.service = service;
    found.endpoint.source = "played";
    found.key = "shop/" + service + "/10.0.0.1:" + std::to_string(port);
    played_->found.push_back(found);
    sources_->gather();
  }
  std::vector<std::string> listed() const {
    std::vector<std::string> out;
    for (const auto& found : sources_->endpoints()) out.push_back(found.key + " " + found.endpoint.source);
    return out;
  }
  report::SourceState state(const std::string& name) const {
    for (const auto& state : sources_->states()) {
      if (state.name == name) return state;
    }
    return {};
  }

  test::TemporaryFolder folder_;
  PlayedSource* played_ = nullptr;
  std::optional<Sources> sources_;
};

TEST_F(SourcesTest, lists_are_joined_in_the_order_of_the_sources) {
  play("cache", 82);
  put(entry("db", 81)).value();
  write(entry("web", 80));
  EXPECT_THAT(listed(),
              ElementsAre(std::string(kWeb) + " static", std::string(kDb) + " local", "shop/cache/10.0.0.1:82 played"));
  EXPECT_THAT(sources_->told(),
              ElementsAre(report::SourceState{"static", true, ""}, report::SourceState{"local", true, ""},
                          report::SourceState{"played", true, ""}));
}

TEST_F(SourcesTest, of_equal_keys_the_first_source_has_it_and_the_other_has_a_problem) {
  put(entry("web", 80)).value();
  play("web", 80);
  EXPECT_THAT(listed(), ElementsAre(std::string(kWeb) + " local"));
  EXPECT_THAT(state("played").error, HasSubstr(std::string(kWeb) + " is listed by the source local already"));
  write(entry("web", 80));
  EXPECT_THAT(listed(), ElementsAre(std::string(kWeb) + " static"));
  EXPECT_THAT(state("local").error, HasSubstr("is listed by the source static already"));
  EXPECT_TRUE(state("local").listed) << "a problem, but nothing is unread";
  EXPECT_EQ(sources_->problem_counts().at("local"), 1U);
  write("");
  EXPECT_THAT(listed(), ElementsAre(std::string(kWeb) + " local"));
  EXPECT_EQ(state("local").error, "");
}

TEST_F(SourcesTest, a_key_of_another_source_cannot_be_registered) {
  write(entry("web", 80));
  EXPECT_EQ(put(entry("web", 80)).error().code(), Code::AlreadyExists);
  EXPECT_EQ(sources_->owner_besides_local(kWeb), "static");
  EXPECT_EQ(sources_->owner_besides_local("shop/web"), "static");
  put(entry("db", 81)).value();
  EXPECT_EQ(sources_->owner_besides_local(kDb), "");
  EXPECT_EQ(sources_->owner_besides_local("shop/db"), "");
}

TEST_F(SourcesTest, what_is_not_read_makes_the_list_incomplete) {
  EXPECT_EQ(sources_->unread_text("n1"), "");
  std::ofstream(folder_.path("n1.registrations.yaml")) << "endpoints: 7\n";
  sources_->load();
  sources_->gather();
  EXPECT_THAT(sources_->unread_text("n1"), HasSubstr("n1 does not read all of the source local: "));
  EXPECT_FALSE(sources_->told().at(1).listed);
  EXPECT_NE(sources_->told().at(1).error, "");
  played_->told = {false, ""};
  sources_->gather();
  write("- 7\n");
  EXPECT_THAT(sources_->unread_text("n1"), HasSubstr("n1 does not read endpoints.d: a.yaml"));
}

TEST_F(SourcesTest, a_folder_that_cannot_be_read_is_not_moved_to) {
  write(entry("web", 80));
  EXPECT_FALSE(sources_->move_files(folder_.path("nowhere")));
  sources_->gather();
  EXPECT_THAT(listed(), ElementsAre(std::string(kWeb) + " static"));
  std::filesystem::create_directory(folder_.path("other"));
  EXPECT_TRUE(sources_->move_files(folder_.path("other")));
  sources_->gather();
  EXPECT_THAT(listed(), ElementsAre());
}

TEST_F(SourcesTest, new_addresses_of_the_node_reach_all_sources) {
  write(entry("web", 80));
  put(entry("db", 81)).value();
  sources_->set_defaults({{IpAddress::parse("10.0.0.2").value()}});
  sources_->gather();
  EXPECT_THAT(listed(), ElementsAre("shop/web/10.0.0.2:80 static", "shop/db/10.0.0.2:81 local"));
}

}  // namespace
}  // namespace meshdns::agent::app
