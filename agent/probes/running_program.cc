#include "agent/probes/running_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "agent/probes/failed_probe.h"
#include "common/base/check.h"
#include "common/net/fd.h"
#include "common/process/asio_loop.h"

// The header of glibc 2.36 does not say that its functions are C's.
extern "C" {
#include <sys/pidfd.h>
}

namespace meshdns::probes {
namespace {

using boost::asio::posix::descriptor_base;

constexpr std::size_t kPerRead = 16 * 1024;
constexpr int kReadsInARow = 4;  // then the loop does something else first

Error spawn_error(const std::string& program, int number) {
  if (number == EAGAIN || number == ENOMEM || number == EMFILE || number == ENFILE) {
    return {Code::ResourceExhausted, connect_error(number).message()};
  }
  return {Code::Unavailable, program + ": " + std::generic_category().message(number)};
}

struct Pipe {
  Fd read;
  Fd write;
};

/// Makes a pipe whose reading end does not block. The writing end does: it is the program's standard output, and many
/// programs cannot write to one that does not.
Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error(Code::ResourceExhausted, connect_error(errno).message());
  Pipe out{Fd(ends[0]), Fd(ends[1])};
  if (::fcntl(out.read.get(), F_SETFL, O_NONBLOCK) != 0) return Error(Code::Internal, connect_error(errno).message());
  return out;
}

/// The attributes and descriptors of a new process.
class Spawning {
 public:
  explicit Spawning(int output) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    bool fine = ::posix_spawnattr_init(&attributes_) == 0 && ::posix_spawn_file_actions_init(&actions_) == 0;
    fine = fine && ::posix_spawnattr_setsigmask(&attributes_, &none) == 0 &&
           ::posix_spawnattr_setsigdefault(&attributes_, &all) == 0 &&
           ::posix_spawnattr_setflags(&attributes_,
                                      POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0;
    fine = fine && ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
           ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO) == 0 &&
           ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO) == 0 &&
           ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1) == 0 &&
           ::posix_spawn_file_actions_addchdir_np(&actions_, "/") == 0;
    MESHDNS_CHECK(fine);  // these calls fail only without memory
  }
  ~Spawning() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  Spawning(const Spawning&) = delete;
  Spawning& operator=(const Spawning&) = delete;

  Result<pid_t> start(const Launch& launch) const {
    std::vector<std::string> arguments = launch.command;
    std::vector<std::string> variables;
    for (const auto& [name, value] : launch.environment) variables.push_back(name + "=" + value);
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> out;
      for (std::string& text : texts) out.push_back(text.data());
      out.push_back(nullptr);
      return out;
    };
    pid_t pid = 0;
    const int failed = ::posix_spawn(&pid, arguments.front().c_str(), &actions_, &attributes_,
                                     pointers(arguments).data(), pointers(variables).data());
    if (failed != 0) return spawn_error(arguments.front(), failed);
    return pid;
  }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

struct RunningProgram::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& loop, Ended call, std::shared_ptr<const void> keep)
      : output(process::io_context_of(loop)),
        end(process::io_context_of(loop)),
        ended(std::move(call)),
        held(std::move(keep)) {}
  /// Destroyed before the process has ended only if the loop itself ends.
  ~State() {
    if (pid == 0) return;
    kill_group(SIGKILL);
    reap(WNOHANG);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// Hands the pipe and a pidfd to the loop.
  /// returns: 0, or an errno
  int follow(Fd pipe) {
    Fd process(::pidfd_open(pid, 0));
    if (!process) return errno;
    boost::system::error_code error;
    output.assign(pipe.get(), error);
    if (error) return error.value();
    pipe.release();
    end.assign(process.get(), error);
    if (error) return error.value();
    process.release();
    return 0;
  }

  void wait_for_output() {
    output.async_wait(descriptor_base::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->output.is_open() && self->read_some()) self->wait_for_output();
    });
  }

  void wait_for_end() {
    end.async_wait(descriptor_base::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->on_end();
    });
  }

  /// Reads what the pipe holds, within a bound.
  /// returns: whether more may come
  bool read_some() {
    std::array<char, kPerRead> buffer;
    for (int i = 0; i < kReadsInARow; ++i) {
      const ssize_t size = ::read(output.native_handle(), buffer.data(), buffer.size());
      if (size == 0) return false;
      if (size < 0) return errno == EAGAIN || errno == EINTR;
      const auto room = RunningProgram::kMostOutput - text.size();
      text.append(buffer.data(), std::min(static_cast<std::size_t>(size), room));
    }
    return true;
  }

  /// Whether the process has ended and waits to be reaped.
  bool has_ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
  }

  void on_end() {
    // whatever has woken this: a process that still runs must be waited for, or nobody would ever reap it
    if (!has_ended()) return wait_for_end();
    kill_group(SIGKILL);  // what is left of the group; the id is still this one's, because it is not reaped yet
    read_some();
    const auto found = reap(WNOHANG);
    close();
    held.reset();
    if (const Ended call = std::exchange(ended, nullptr)) call({found.exited, found.number, std::move(text)});
  }

  void kill_group(int number) const {
    if (pid > 0) static_cast<void>(::kill(-pid, number));
  }

  ProgramEnd reap(int options) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | options) != 0) return {};
    pid = 0;
    return {info.si_code == CLD_EXITED, info.si_status, {}};
  }

  void close() {
    boost::system::error_code ignored;
    output.close(ignored);
    end.close(ignored);
  }

  boost::asio::posix::stream_descriptor output;
  boost::asio::posix::stream_descriptor end;  // the pidfd
  Ended ended;
  std::shared_ptr<const void> held;
  std::string text;
  pid_t pid = 0;  // 0 = reaped, or never started
};

RunningProgram::RunningProgram(std::shared_ptr<State> state) : state_(std::move(state)) {}

RunningProgram::~RunningProgram() {
  state_->ended = nullptr;
  state_->kill_group(SIGKILL);
}

void RunningProgram::signal(int number) { state_->kill_group(number); }

Result<std::unique_ptr<RunningProgram>> RunningProgram::start(process::EventLoop& loop, const Launch& launch,
                                                              Ended ended) {
  auto pipe = make_pipe();
  if (!pipe) return pipe.error();
  const auto pid = Spawning(pipe->write.get()).start(launch);
  if (!pid) return pid.error();
  auto state = std::make_shared<State>(loop, std::move(ended), launch.held);
  state->pid = *pid;
  if (const int failed = state->follow(std::move(pipe->read)); failed != 0) {
    state->kill_group(SIGKILL);
    state->reap(0);  // it has just begun, so its end takes no time
    return spawn_error(launch.command.front(), failed);
  }
  state->wait_for_output();
  state->wait_for_end();
  return std::unique_ptr<RunningProgram>(new RunningProgram(std::move(state)));
}

}  // namespace meshdns::probes
