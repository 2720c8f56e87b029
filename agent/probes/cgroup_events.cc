#include "agent/probes/cgroup_events.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "agent/probes/cgroup_path.h"
#include "common/base/text.h"
#include "common/net/fd.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {
namespace {

constexpr std::size_t kMostPerRead = 64 * (sizeof(inotify_event) + 16);

Error failed(Code code, const std::string& what) {
  return {code, what + ": " + std::generic_category().message(errno)};
}

/// Whether a cgroup has no process left. A cgroup that is gone has none: runtimes remove it once it is empty.
bool is_empty(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno == ENOENT || errno == ENODEV;
  std::array<char, 256> buffer;
  const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
  if (size < 0) return errno == ENODEV;
  return says_empty({buffer.data(), static_cast<std::size_t>(size)});
}

}  // namespace

bool says_empty(std::string_view cgroup_events) {
  const auto lines = split(cgroup_events, '\n');
  return std::ranges::find(lines, "populated 0") != lines.end();
}

struct CgroupEvents::State : std::enable_shared_from_this<State> {
  struct Watch {
    std::string id;
    std::string path;  // of its cgroup.events
  };

  State(process::EventLoop& loop, int descriptor, std::string at, Ended call)
      : stream(process::io_context_of(loop), descriptor), root(std::move(at)), ended(std::move(call)) {}

  void wait() {
    stream.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (error || !self->stream.is_open()) return;
                        self->read_some();
                        if (self->stream.is_open()) self->wait();
                      });
  }

  /// Reads the events that are there, at most kMostPerRead bytes, and looks at the cgroups that they are about. An
  /// overflow has lost the events of some, so all are looked at.
  void read_some() {
    alignas(inotify_event) std::array<char, kMostPerRead> buffer;
    const ssize_t size = ::read(stream.native_handle(), buffer.data(), buffer.size());
    std::vector<int> changed;
    for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) return look_at_all();
      changed.push_back(event.wd);
    }
    for (const int watch : changed) look_at(watch);
  }

  void look_at_all() {
    std::vector<int> all;
    for (const auto& [watch, container] : watches) all.push_back(watch);
    for (const int watch : all) look_at(watch);
  }

  /// Reports a container if it has ended. Does nothing once this is closed: `ended` may have destroyed its owner.
  void look_at(int watch) {
    const auto found = watches.find(watch);
    if (found == watches.end() || !stream.is_open() || !is_empty(found->second.path)) return;
    const std::string id = found->second.id;
    forget(id);
    ended(id);
  }

  void forget(const std::string& id) {
    const auto found = by_id.find(id);
    if (found == by_id.end()) return;
    ::inotify_rm_watch(stream.native_handle(), found->second);  // fails if the kernel has removed it with the cgroup
    watches.erase(found->second);
    by_id.erase(found);
  }

  Result<void> add(std::string_view pod, const std::string& id) {
    const std::string_view name = container_name(id);
    if (name.empty()) return Error(Code::InvalidArgument, "\"" + id + "\" is no id of a container");
    const auto folder = find_cgroup(root, pod, name);
    if (!folder) return Error(Code::NotFound, root + " has no cgroup of container " + id);
    const std::string path = *folder + "/cgroup.events";
    const int watch = ::inotify_add_watch(stream.native_handle(), path.c_str(), IN_MODIFY);
    if (watch < 0) return failed(errno == ENOSPC ? Code::ResourceExhausted : Code::NotFound, path);
    if (is_empty(path)) {
      // Either the container has just ended, which its kubelet reports; or its processes are elsewhere, as those of
      // gVisor are, and then the file says nothing for as long as it runs.
      ::inotify_rm_watch(stream.native_handle(), watch);
      return Error(Code::NotFound, path + ": no process is in it");
    }
    watches[watch] = {id, path};
    by_id[id] = watch;
    return {};
  }

  boost::asio::posix::stream_descriptor stream;
  std::string root;
  Ended ended;
  std::map<int, Watch> watches;      // by inotify's number
  std::map<std::string, int> by_id;  // the same
};

CgroupEvents::CgroupEvents(std::shared_ptr<State> state) : state_(std::move(state)) {}

CgroupEvents::~CgroupEvents() { state_->stream.close(); }

Result<std::unique_ptr<CgroupEvents>> CgroupEvents::open(process::EventLoop& loop, std::string root, Ended ended) {
  std::error_code unreadable;
  if (!std::filesystem::exists(root + "/cgroup.controllers", unreadable)) {
    return Error(Code::Unimplemented, root + " is no cgroup v2");
  }
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return failed(Code::Unimplemented, "inotify");
  auto state = std::make_shared<State>(loop, descriptor, std::move(root), std::move(ended));
  state->wait();
  return std::unique_ptr<CgroupEvents>(new CgroupEvents(std::move(state)));
}

Result<void> CgroupEvents::watch(std::string_view pod, const std::string& container_id) {
  if (state_->by_id.contains(container_id)) return {};
  return state_->add(pod, container_id);
}

void CgroupEvents::unwatch(const std::string& container_id) { state_->forget(container_id); }

std::size_t CgroupEvents::watched() const { return state_->watches.size(); }

}  // namespace meshdns::probes
