#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Reports each watched container whose last process has ended, so that its death is known within a millisecond. Waits
/// with inotify for changes of the file cgroup.events of the container's cgroup, which needs no privilege, and works
/// through a read-only mount. Best effort: what this misses is reported by the kubelet a second later.
class CgroupEvents {
 public:
  /// Gets the id of the container: "containerd://f00...". Called once for each watched container, which is no longer
  /// watched then.
  using Ended = std::function<void(const std::string& container_id)>;

  /// Starts to listen. `loop` must outlive the result.
  /// root:   the mount point of cgroup v2, normally /sys/fs/cgroup
  /// ended:  called on the loop's thread, until the result is destroyed; it may call this object
  /// errors: Unimplemented: `root` is no cgroup v2, or the kernel has no inotify
  static Result<std::unique_ptr<CgroupEvents>> open(process::EventLoop& loop, std::string root, Ended ended);
  ~CgroupEvents();

  /// Watches a container that runs. One that is watched already stays so. Only the change to "no process left" counts:
  /// a container whose cgroup is empty already is not watched.
  ///
  /// pod:    the uid of its pod
  /// errors: InvalidArgument: the id has another form. NotFound: the container has no cgroup, or an empty one.
  ///         ResourceExhausted: the system allows no further watch. The container is then not watched
  Result<void> watch(std::string_view pod, const std::string& container_id);
  /// Stops watching a container; an unknown one is ignored.
  void unwatch(const std::string& container_id);
  /// The number of containers that are watched.
  std::size_t watched() const;

 private:
  struct State;
  explicit CgroupEvents(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// Whether the text of a file cgroup.events says that no process is left in the cgroup and below.
bool says_empty(std::string_view cgroup_events);

}  // namespace meshdns::probes
