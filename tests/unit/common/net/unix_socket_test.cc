#include "common/net/unix_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace meshdns {
namespace {

class UnixSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "meshdns-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// The server's socket; closing it leaves the file, as a killed process does.
  int serve() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().data(), path().size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd, 1), 0);
    return fd;
  }
  std::string path() const { return (folder_ / "x.sock").string(); }
  bool exists() const { return std::filesystem::exists(std::filesystem::symlink_status(path())); }

  std::filesystem::path folder_;
};

TEST_F(UnixSocketTest, nothing_there_is_free) { EXPECT_TRUE(free_socket_path(path())); }

TEST_F(UnixSocketTest, what_a_dead_server_left_is_removed) {
  ::close(serve());
  ASSERT_TRUE(exists());
  EXPECT_TRUE(free_socket_path(path()));
  EXPECT_FALSE(exists());
}

TEST_F(UnixSocketTest, a_living_server_keeps_it) {
  const int fd = serve();
  const auto freed = free_socket_path(path());
  ASSERT_FALSE(freed);
  EXPECT_EQ(freed.error().code(), Code::AlreadyExists);
  EXPECT_TRUE(exists());
  ::close(fd);
}

TEST_F(UnixSocketTest, another_kind_of_file_is_not_deleted) {
  std::ofstream(path()) << "precious";
  EXPECT_FALSE(free_socket_path(path()));
  EXPECT_TRUE(exists());
}

TEST_F(UnixSocketTest, a_path_has_at_most_107_characters) {
  EXPECT_TRUE(free_socket_path("/tmp/" + std::string(102, 'a')));
  EXPECT_FALSE(free_socket_path("/tmp/" + std::string(103, 'a')));
}

}  // namespace
}  // namespace meshdns
