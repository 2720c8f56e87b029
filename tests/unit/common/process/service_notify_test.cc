#include "common/process/service_notify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "common/time/sim_clock.h"

namespace meshdns::process {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The supervisor's end of the socket.
class Supervisor {
 public:
  explicit Supervisor(std::string name)
      : name_(std::move(name)), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name_.copy(address.sun_path, sizeof address.sun_path);
    if (name_[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
  }
  ~Supervisor() {
    ::close(fd_);
    if (name_[0] != '@') ::unlink(name_.c_str());
  }

  std::vector<std::string> heard() const {
    std::vector<std::string> out;
    std::array<char, 4096> buffer;
    for (;;) {
      const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (size < 0) return out;
      out.emplace_back(buffer.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  std::string name_;
  int fd_;
};

class ServiceNotifyTest : public testing::Test {
 protected:
  static std::string name(const char* prefix) { return prefix + std::to_string(::getpid()); }
  void be_ready() {
    notify.ready({[this] { return status; }, [this] { return alive; }});
    EXPECT_THAT(supervisor.heard(), ElementsAre("READY=1\nSTATUS=1 host"));
  }

  std::string status = "1 host";
  bool alive = true;
  SimClock clock;
  Supervisor supervisor{name("@meshdns-notify-test-")};
  ServiceNotify notify{{name("@meshdns-notify-test-"), 10s}, clock, clock};
};

TEST_F(ServiceNotifyTest, tells_a_changed_status_once_and_at_most_each_second) {
  be_ready();
  status = "2 hosts";
  clock.advance(500ms);
  status = "3 hosts\nand a second line";
  clock.advance(3s);
  EXPECT_THAT(supervisor.heard(), ElementsAre("STATUS=3 hosts and a second line"));
}

TEST_F(ServiceNotifyTest, feeds_the_watchdog_at_half_its_time) {
  be_ready();
  clock.advance(4900ms);
  EXPECT_THAT(supervisor.heard(), IsEmpty());
  clock.advance(100ms);
  EXPECT_THAT(supervisor.heard(), ElementsAre("WATCHDOG=1"));
  clock.advance(10s);
  EXPECT_THAT(supervisor.heard(), ElementsAre("WATCHDOG=1", "WATCHDOG=1"));
}

TEST_F(ServiceNotifyTest, does_not_feed_it_while_something_is_stuck) {
  be_ready();
  alive = false;
  clock.advance(60s);
  EXPECT_THAT(supervisor.heard(), IsEmpty());
  alive = true;
  clock.advance(5s);
  EXPECT_THAT(supervisor.heard(), ElementsAre("WATCHDOG=1"));
}

TEST_F(ServiceNotifyTest, brackets_a_reload_with_the_time_and_its_result) {
  be_ready();
  clock.advance(1500us);
  notify.reload_begins();
  notify.reload_ended("reload failed: 2 errors");
  EXPECT_THAT(supervisor.heard(), ElementsAre("RELOADING=1\nMONOTONIC_USEC=3600001500\nSTATUS=reloading",
                                              "READY=1\nSTATUS=reload failed: 2 errors"));
}

TEST_F(ServiceNotifyTest, says_nothing_more_after_stopping) {
  be_ready();
  notify.stopping();
  EXPECT_THAT(supervisor.heard(), ElementsAre("STOPPING=1\nSTATUS=stopping"));
  status = "other";
  clock.advance(60s);
  EXPECT_THAT(supervisor.heard(), IsEmpty());
  EXPECT_EQ(clock.pending(), 0U);
}

TEST(ServiceNotify, reaches_a_socket_by_its_path) {
  SimClock clock;
  const std::string path = testing::TempDir() + "notify-" + std::to_string(::getpid());
  const Supervisor supervisor(path);
  ServiceNotify notify({path, {}}, clock, clock);
  notify.ready({[] { return "up"; }, [] { return true; }});
  clock.advance(1h);
  EXPECT_THAT(supervisor.heard(), ElementsAre("READY=1\nSTATUS=up"));
}

TEST(ServiceNotify, is_silent_where_nobody_listens) {
  SimClock clock;
  for (const std::string& socket : {std::string(), std::string("/nonexistent/notify"), std::string(200, 'x')}) {
    ServiceNotify notify({socket, 2s}, clock, clock);
    notify.ready({[] { return "up"; }, [] { return true; }});
    clock.advance(3s);
    notify.reload_begins();
    notify.reload_ended("done");
    notify.stopping();
  }
  EXPECT_EQ(clock.pending(), 0U);
}

TEST(NotifyEnvironment, comes_from_the_process) {
  ::setenv("NOTIFY_SOCKET", "@x", 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(NotifyEnvironment::of_process().socket, "@x");
  EXPECT_EQ(NotifyEnvironment::of_process().watchdog, 30s);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(NotifyEnvironment::of_process().watchdog, 0s);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(NotifyEnvironment::of_process().watchdog, 30s);
  ::setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_EQ(NotifyEnvironment::of_process().watchdog, 0s);
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  EXPECT_EQ(NotifyEnvironment::of_process().socket, "");
}

}  // namespace
}  // namespace meshdns::process
