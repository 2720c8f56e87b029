#include "agent/probes/exec_probe.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "common/base/whole_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/agent/probes/loopback.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

constexpr const char* kShell = "/bin/sh";

std::string nobody_minds(const std::string&, const struct stat&) { return {}; }

std::size_t open_descriptors() {
  std::size_t out = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) out += entry.exists() ? 1 : 0;
  return out;
}

/// Whether a child of this process is not reaped, alive or dead.
bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

class ExecProbeTest : public testing::Test {
 protected:
  ExecProbeTest() : rules_{.enabled = true, .owner = nobody_minds, .grace = 100ms} {}

  void TearDown() override { EXPECT_TRUE(ends_without_children()); }

  ExecCheck script(const std::string& text) { return {.command = {kShell, "-c", text}, .user = "", .environment = {}}; }
  ProbeResult result_of(const ExecCheck& check, Duration timeout = 60s) {
    ExecProbe probe(loop_, check, rules_);
    return run_probe(loop_, probe, timeout);
  }
  ProbeResult result_of(const std::string& text, Duration timeout = 60s) { return result_of(script(text), timeout); }

  /// Runs the loop until `holds` does.
  template <class Condition>
  bool eventually(Condition holds) {
    for (int i = 0; i < 6000 && !holds(); ++i) {
      loop_.after(10ms, [this] { loop_.stop(); });
      loop_.run();
      loop_.restart();
    }
    return holds();
  }
  bool ends_without_children() {
    return eventually([] { return !has_children(); });
  }

  process::EventLoop loop_;
  ProgramRules rules_;
  test::TemporaryFolder folder_;
};

TEST_F(ExecProbeTest, the_exit_code_decides) {
  EXPECT_EQ(result_of("exit 0"), ProbeResult{Outcome::Success});
  EXPECT_EQ(result_of("echo 7 jobs; exit 0"), (ProbeResult{Outcome::Success, "7 jobs"}));
  EXPECT_EQ(result_of("echo disk 91 % full; exit 1"), (ProbeResult{Outcome::Warning, "exit 1: disk 91 % full"}));
  EXPECT_EQ(result_of("echo no database >&2; exit 2"), (ProbeResult{Outcome::Failure, "exit 2: no database"}));
  EXPECT_EQ(result_of("exit 255"), (ProbeResult{Outcome::Failure, "exit 255"}));
  EXPECT_EQ(result_of("kill -SEGV $$"), (ProbeResult{Outcome::Failure, "ended by signal 11 (Segmentation fault)"}));
}

TEST_F(ExecProbeTest, output_is_kept_up_to_a_bound_and_read_to_the_end) {
  EXPECT_EQ(result_of("echo a; echo b; exit 3").detail, "exit 3: a\nb");
  const auto long_one = result_of("head -c 3000000 /dev/zero | tr '\\0' x; exit 3");
  EXPECT_EQ(long_one.outcome, Outcome::Failure);
  EXPECT_EQ(long_one.detail, "exit 3: " + std::string(RunningProgram::kMostOutput, 'x'));
  EXPECT_EQ(result_of("printf '\\377\\033[2J'; exit 3").detail, "exit 3: \\xff\\u001b[2J");
}

TEST_F(ExecProbeTest, a_program_out_of_time_is_ended_with_its_whole_group) {
  const std::string file = folder_.path("child");
  const auto result = result_of("trap '' TERM; (trap '' TERM; sleep 1000) & echo $! > " + file + ".new; mv " + file +
                                    ".new " + file + "; wait; wait",
                                1s);
  EXPECT_EQ(result, (ProbeResult{Outcome::Timeout, "timeout after 1s"}));
  EXPECT_TRUE(ends_without_children());
  const auto text = read_file(file);
  ASSERT_TRUE(text) << "the script needs more than 1s to begin";
  const pid_t child = std::atoi(text->c_str());
  EXPECT_TRUE(eventually([&] {
    return ::kill(child, 0) != 0 ||
           read_file("/proc/" + std::to_string(child) + "/stat").value_or("").find(") Z") != std::string::npos;
  }));
}

TEST_F(ExecProbeTest, sigterm_comes_first_and_the_grace_is_the_programs) {
  rules_.grace = 60s;
  const std::string file = folder_.path("said");
  ExecProbe probe(loop_, script("trap 'echo bye > " + file + "; exit 0' TERM; while :; do sleep 0.01; done"), rules_);
  EXPECT_EQ(run_probe(loop_, probe, 500ms).outcome, Outcome::Timeout);
  EXPECT_TRUE(ends_without_children());
  EXPECT_EQ(read_file(file).value_or(""), "bye\n");
}

TEST_F(ExecProbeTest, what_a_program_leaves_behind_is_killed) {
  const std::string file = folder_.path("left");
  EXPECT_EQ(result_of("sleep 1000 & echo $! > " + file).outcome, Outcome::Success);
  const pid_t left = std::atoi(read_file(file).value_or("0").c_str());
  ASSERT_GT(left, 0);
  EXPECT_TRUE(eventually([&] {
    return ::kill(left, 0) != 0 ||
           read_file("/proc/" + std::to_string(left) + "/stat").value_or("").find(") Z") != std::string::npos;
  }));
}

TEST_F(ExecProbeTest, the_environment_is_the_checks_and_nothing_else) {
  ::setenv("MESHDNS_SECRET", "s3cr3t", 1);
  ExecCheck check = script("env | sort; pwd; cat; ls /proc/self/fd | wc -l");
  check.environment = {{"MESHDNS_CHECK_ENDPOINT", "shop/web/10.0.0.1:80"}};
  const auto result = result_of(check);
  ::unsetenv("MESHDNS_SECRET");
  EXPECT_EQ(result.outcome, Outcome::Success);
  EXPECT_NE(result.detail.find("MESHDNS_CHECK_ENDPOINT=shop/web/10.0.0.1:80\n"), std::string::npos) << result.detail;
  EXPECT_EQ(result.detail.find("s3cr3t"), std::string::npos) << result.detail;
  EXPECT_NE(result.detail.find("PATH=/usr/local/sbin:"), std::string::npos) << result.detail;
  // in / with an empty input; ls has 0, 1, 2 and the folder that it lists
  EXPECT_TRUE(result.detail.ends_with("\n/\n4")) << result.detail;
}

TEST_F(ExecProbeTest, what_keeps_a_program_from_running_is_unknown) {
  rules_.enabled = false;
  EXPECT_EQ(result_of("exit 0"),
            (ProbeResult{Outcome::Unknown, "programs are not started: set exec: {enabled: true} in agent.yaml"}));
  rules_.enabled = true;
  rules_.owner = [](const std::string& path, const struct stat&) { return path + " is not root's"; };
  EXPECT_EQ(result_of("exit 0"), (ProbeResult{Outcome::Unknown, "/ is not root's"}));
  rules_.owner = nobody_minds;
  EXPECT_EQ(result_of(ExecCheck{{"/no/such"}, "", {}}),
            (ProbeResult{Outcome::Unknown, "/no: No such file or directory"}));
  std::ofstream(folder_.path("script")) << "#!/no/such/interpreter\n";
  ::chmod(folder_.path("script").c_str(), 0755);
  const auto no_interpreter = result_of(ExecCheck{{folder_.path("script")}, "", {}});
  EXPECT_EQ(no_interpreter.outcome, Outcome::Unknown);
  EXPECT_NE(no_interpreter.detail.find(folder_.path("script")), std::string::npos) << no_interpreter.detail;
  rules_.setpriv = "/no/setpriv";
  EXPECT_EQ(result_of("exit 0"), (ProbeResult{Outcome::Unknown, "/no/setpriv: No such file or directory"}));
}

TEST_F(ExecProbeTest, a_user_is_one_of_the_file) {
  std::ofstream(folder_.path("passwd")) << "root:x:0:0::/root:/bin/sh\nweb:x:4242:4243::/srv/web:/bin/sh\n";
  rules_.users = folder_.path("passwd");
  ExecCheck check = script("echo $(id -u) $(id -g) $(id -G) $USER $HOME");
  check.user = "nobody-such";
  EXPECT_EQ(result_of(check), (ProbeResult{Outcome::Unknown, folder_.path("passwd") + " has no user \"nobody-such\""}));
}

TEST_F(ExecProbeTest, a_program_runs_as_its_user) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  ExecCheck check = script("echo $(id -un) $(id -gn) $USER $HOME");
  check.user = "daemon";
  EXPECT_EQ(result_of(check), (ProbeResult{Outcome::Success, "daemon daemon daemon /usr/sbin"}));
}

TEST_F(ExecProbeTest, without_permission_to_become_the_user_it_is_unknown) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may become anybody";
  ExecCheck check = script("exit 0");
  check.user = "daemon";
  EXPECT_EQ(result_of(check).outcome, Outcome::Unknown);
}

TEST_F(ExecProbeTest, a_new_run_replaces_the_one_before) {
  unsigned calls = 0;
  ExecProbe probe(loop_, script("sleep 1000"), rules_);
  probe.run(60s, [&](const ProbeResult&) { ++calls; });
  EXPECT_EQ(run_probe(loop_, probe, 200ms).outcome, Outcome::Timeout);
  EXPECT_EQ(calls, 0U);
}

TEST_F(ExecProbeTest, nothing_is_called_after_its_end) {
  unsigned calls = 0;
  {
    ExecProbe probe(loop_, script("sleep 1000"), rules_);
    probe.run(60s, [&](const ProbeResult&) { ++calls; });
  }
  EXPECT_TRUE(ends_without_children());
  EXPECT_EQ(calls, 0U);
}

TEST_F(ExecProbeTest, nothing_is_left_over_whatever_comes) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> scripts = {"exit 0",
                                            "exit 1",
                                            "exit 9",
                                            "kill -KILL $$",
                                            "echo x; sleep 1000",
                                            "sleep 1000 & exit 0",
                                            "exec >&- 2>&-; exit 0"};
  EXPECT_EQ(result_of("exit 0").outcome, Outcome::Success);  // the loop opens its own descriptors with the first use
  const std::size_t before = open_descriptors();
  const auto threads = [] { return read_file("/proc/self/status").value(); };
  const auto thread_line = [&] {
    const std::string status = threads();
    const auto at = status.find("Threads:");
    return status.substr(at, status.find('\n', at) - at);
  };
  const std::string threads_before = thread_line();
  rules_.grace = 1ms;
  for (int i = 0; i < 60; ++i) {
    ExecProbe probe(loop_, script(scripts[random() % scripts.size()]), rules_);
    if (random() % 5 == 0) {
      probe.run(60s, [](const ProbeResult&) { FAIL() << "called after the end of the probe"; });
    } else {
      run_probe(loop_, probe, std::chrono::milliseconds(1 + random() % 10));
    }
  }
  EXPECT_TRUE(ends_without_children());
  EXPECT_TRUE(eventually([&] { return open_descriptors() == before; })) << open_descriptors() << " of " << before;
  EXPECT_EQ(thread_line(), threads_before);
}

}  // namespace
}  // namespace meshdns::probes
