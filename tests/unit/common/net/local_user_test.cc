#include "common/net/local_user.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace meshdns {
namespace {

TEST(LocalUser, the_kernel_names_the_other_end_of_a_unix_socket) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const auto user = local_user_at(ends[0]);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->uid, ::geteuid());
  const passwd* own = ::getpwuid(::geteuid());
  EXPECT_EQ(user->name, own == nullptr ? std::to_string(::geteuid()) : own->pw_name);
  for (const int end : ends) ::close(end);
}

TEST(LocalUser, another_socket_has_no_user) {
  const int tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_FALSE(local_user_at(tcp));
  ::close(tcp);
  EXPECT_FALSE(local_user_at(-1));
}

TEST(LocalUser, a_user_without_a_name_is_a_number) { EXPECT_EQ(local_user(3999999999U).name, "3999999999"); }

}  // namespace
}  // namespace meshdns
