#include "common/net/local_user.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <thread>

namespace meshdns {
namespace {

TEST(LocalUser, the_kernel_names_the_other_end_of_a_unix_socket) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const auto user = uid_at(ends[0]);
  ASSERT_TRUE(user);
  EXPECT_EQ(*user, ::geteuid());
  const passwd* own = ::getpwuid(::geteuid());
  EXPECT_EQ(user_name(*user), own == nullptr ? std::to_string(::geteuid()) : own->pw_name);
  for (const int end : ends) ::close(end);
}

TEST(LocalUser, another_socket_has_no_user) {
  const int tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_FALSE(uid_at(tcp));
  ::close(tcp);
  EXPECT_FALSE(uid_at(-1));
}

TEST(LocalUser, a_user_without_a_name_is_a_number) { EXPECT_EQ(user_name(3999999999U), "3999999999"); }

TEST(LocalUser, nobody_waits_long_for_a_name_service_that_does_not_answer) {
  std::promise<void> answers;
  const auto answered = answers.get_future().share();
  const auto user = LocalUser::look_up(1000, [answered](std::uint32_t) {
    answered.wait();
    return std::string("alice");
  });
  EXPECT_EQ(user.name(), "1000");
  user.await_name(1ms);
  user.await_name(1h);  // not a second time
  EXPECT_EQ(user.name(), "1000");
  answers.set_value();
  while (user.name() == "1000") std::this_thread::yield();
  EXPECT_EQ(user.name(), "alice");
}

TEST(LocalUser, a_name_that_comes_in_time_is_awaited) {
  const auto user = LocalUser::look_up(1000, [](std::uint32_t) { return std::string("alice"); });
  user.await_name(10s);
  EXPECT_EQ(user.name(), "alice");
}

}  // namespace
}  // namespace meshdns
