#include "agent/discovery/static_source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

namespace meshdns::discovery {
namespace {

namespace fs = std::filesystem;

class StaticSourceTest : public testing::Test {
 protected:
  StaticSourceTest() {
    std::string pattern = fs::temp_directory_path() / "meshdns-discovery-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    source_.emplace(directory_, Defaults{{IpAddress::v4(0x0a000001)}});
  }
  ~StaticSourceTest() override { fs::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ / name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  /// services: one endpoint each, on port 80
  void list(const std::string& name, const std::vector<std::string>& services) const {
    std::string text = "endpoints:\n";
    for (const auto& service : services) {
      text += "- {service: " + service + ", namespace: shop, ports: [{number: 80}]}\n";
    }
    write(name, text);
  }

  std::vector<std::string> services() const {
    std::vector<std::string> out;
    for (const auto& found : source_->endpoints()) out.push_back(found.endpoint.service);
    return out;
  }

  fs::path directory_;
  std::optional<StaticSource> source_;
};

TEST_F(StaticSourceTest, lists_the_files_in_order_of_their_names) {
  list("b.yaml", {"web"});
  list("a.yaml", {"db", "cache"});
  EXPECT_FALSE(source_->listed());
  EXPECT_TRUE(source_->refresh());
  EXPECT_EQ(services(), (std::vector<std::string>{"db", "cache", "web"}));
  EXPECT_TRUE(source_->listed());
  EXPECT_EQ(source_->error(), "");
  EXPECT_THAT(source_->files(), testing::ElementsAre(StaticSource::FileState{path("a.yaml"), true, ""},
                                                     StaticSource::FileState{path("b.yaml"), true, ""}));
  EXPECT_FALSE(source_->refresh());
}

TEST_F(StaticSourceTest, an_empty_directory_lists_nothing_and_that_is_complete) {
  EXPECT_TRUE(source_->refresh());
  EXPECT_TRUE(source_->listed());
  EXPECT_FALSE(source_->refresh());
}

TEST_F(StaticSourceTest, other_files_are_not_looked_at) {
  write("README", "text");
  write("a.yaml.bak", "text");
  write(".a.yaml", "text");
  source_->refresh();
  EXPECT_TRUE(source_->listed());
  EXPECT_THAT(source_->files(), testing::IsEmpty());
}

TEST_F(StaticSourceTest, a_changed_file_changes_the_listing_and_a_removed_one_withdraws) {
  list("a.yaml", {"web"});
  list("b.yaml", {"db"});
  source_->refresh();
  list("a.yaml", {"web", "cache"});
  EXPECT_TRUE(source_->refresh());
  EXPECT_EQ(services(), (std::vector<std::string>{"web", "cache", "db"}));
  fs::remove(path("a.yaml"));
  EXPECT_TRUE(source_->refresh());
  EXPECT_EQ(services(), std::vector<std::string>{"db"});
  EXPECT_TRUE(source_->listed());
}

// Guards against a look at the size or the time alone: the content is another file's, of the same size.
TEST_F(StaticSourceTest, a_file_of_the_same_size_that_was_renamed_into_place_is_read) {
  list("a.yaml", {"web"});
  list("new", {"api"});
  fs::last_write_time(path("new"), fs::last_write_time(path("a.yaml")));
  source_->refresh();
  fs::rename(path("new"), path("a.yaml"));
  EXPECT_TRUE(source_->refresh());
  EXPECT_EQ(services(), std::vector<std::string>{"api"});
}

TEST_F(StaticSourceTest, a_broken_file_keeps_what_it_listed_and_says_where) {
  list("a.yaml", {"web"});
  list("b.yaml", {"db"});
  source_->refresh();
  write("a.yaml", "endpoints:\n- service: web\n  namespace: shop\n  port: 80\n");
  EXPECT_TRUE(source_->refresh());
  EXPECT_EQ(services(), (std::vector<std::string>{"web", "db"}));
  EXPECT_FALSE(source_->listed());
  EXPECT_FALSE(source_->files()[0].listed);
  EXPECT_THAT(source_->files()[0].error, testing::HasSubstr("a.yaml:4:3: "));
  EXPECT_TRUE(source_->files()[1].listed);
  EXPECT_FALSE(source_->refresh());
  list("a.yaml", {"web"});
  EXPECT_TRUE(source_->refresh());
  EXPECT_TRUE(source_->listed());
}

TEST_F(StaticSourceTest, a_file_that_was_broken_from_the_start_keeps_the_source_from_being_listed) {
  write("a.yaml", "endpoints: 7\n");
  source_->refresh();
  EXPECT_FALSE(source_->listed());
  fs::remove(path("a.yaml"));
  EXPECT_TRUE(source_->refresh());
  EXPECT_TRUE(source_->listed());
}

TEST_F(StaticSourceTest, a_file_that_is_emptied_before_it_is_written_withdraws_nothing) {
  list("a.yaml", {"web"});
  source_->refresh();
  write("a.yaml", "");
  source_->refresh();
  EXPECT_EQ(services(), std::vector<std::string>{"web"});
  EXPECT_FALSE(source_->listed());
}

TEST_F(StaticSourceTest, of_equal_keys_the_first_file_counts_and_the_second_says_so) {
  list("a.yaml", {"web"});
  list("b.yaml", {"web", "db"});
  source_->refresh();
  EXPECT_EQ(services(), (std::vector<std::string>{"web", "db"}));
  EXPECT_EQ(source_->files()[0].error, "");
  EXPECT_EQ(source_->files()[1].error,
            path("b.yaml") + ": shop/web/10.0.0.1:80 is listed in " + path("a.yaml") + " already; left out here");
  EXPECT_TRUE(source_->listed());
  fs::remove(path("a.yaml"));
  EXPECT_TRUE(source_->refresh());
  EXPECT_EQ(services(), (std::vector<std::string>{"web", "db"}));
  EXPECT_EQ(source_->files()[0].error, "");
}

TEST_F(StaticSourceTest, a_missing_directory_withdraws_nothing) {
  list("a.yaml", {"web"});
  source_->refresh();
  fs::remove_all(directory_);
  EXPECT_TRUE(source_->refresh());
  EXPECT_FALSE(source_->listed());
  EXPECT_THAT(source_->error(), testing::HasSubstr("no such file or directory"));
  EXPECT_EQ(services(), std::vector<std::string>{"web"});
  EXPECT_FALSE(source_->refresh());
  fs::create_directory(directory_);
  list("a.yaml", {"api", "db"});
  EXPECT_TRUE(source_->refresh());
  EXPECT_EQ(services(), (std::vector<std::string>{"api", "db"}));
  EXPECT_EQ(source_->error(), "");
}

TEST_F(StaticSourceTest, a_link_without_target_is_read_once_it_has_one) {
  fs::create_symlink(path("target"), path("a.yaml"));
  source_->refresh();
  EXPECT_FALSE(source_->listed());
  list("target", {"web"});
  EXPECT_TRUE(source_->refresh());
  EXPECT_EQ(services(), std::vector<std::string>{"web"});
}

TEST_F(StaticSourceTest, a_pipe_does_not_hold_it_up) {
  ASSERT_EQ(mkfifo(path("a.yaml").c_str(), 0600), 0);
  source_->refresh();
  EXPECT_EQ(source_->files()[0].error, path("a.yaml") + ": not a regular file");
}

TEST_F(StaticSourceTest, a_file_that_is_too_large_for_a_list_is_refused) {
  list("a.yaml", {"web"});
  fs::resize_file(path("a.yaml"), (std::uintmax_t{64} << 20) + 1);  // sparse
  source_->refresh();
  EXPECT_FALSE(source_->listed());
  EXPECT_EQ(source_->files().front().error, path("a.yaml") + ": larger than 64 MiB, which no list of endpoints is");
}

TEST_F(StaticSourceTest, other_defaults_change_what_leaves_the_address_out) {
  list("a.yaml", {"web"});
  source_->refresh();
  source_->set_defaults({{IpAddress::v4(0x0a000002)}});
  EXPECT_TRUE(source_->refresh());
  EXPECT_EQ(source_->endpoints().front().key, "shop/web/10.0.0.2:80");
  EXPECT_FALSE(source_->refresh());
}

// Guards the log's other edge: the error of a file ends with the file.
TEST_F(StaticSourceTest, a_broken_file_that_is_removed_ends_its_error) {
  write("a.yaml", "endpoints: 7");
  source_->refresh();
  testing::internal::CaptureStderr();
  fs::remove(path("a.yaml"));
  EXPECT_TRUE(source_->refresh());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("wrong file of endpoints.d is gone path=" + path("a.yaml")));
  EXPECT_TRUE(source_->listed());
}

}  // namespace
}  // namespace meshdns::discovery
