#include "agent/probes/namespace_look.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "agent/probes/listeners.h"
#include "agent/probes/socket_events.h"
#include "common/base/text.h"
#include "common/net/kernel_address.h"

namespace meshdns::probes {
namespace {

namespace fs = std::filesystem;

std::optional<NamespaceId> id_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return found.st_ino;
}

/// pidfd_open(2); Debian 12's <sys/pidfd.h> cannot be linked from C++.
int open_process(pid_t process) { return static_cast<int>(::syscall(SYS_pidfd_open, process, 0)); }

std::string path_of(pid_t process) { return "/proc/" + std::to_string(process) + "/ns/net"; }

/// Returns which of the wanted addresses the thread's namespace has.
std::set<IpAddress> local_ones(const std::set<IpAddress>& wanted) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::set<IpAddress> out;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, one->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const IpAddress address = address_of(storage);
    if (!address.is_loopback() && wanted.contains(address)) out.insert(address);
  }
  return out;
}

bool has_ended(const Fd& process) {
  pollfd waiting{process.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) != 0;
}

/// Returns a process of each namespace except `own`. Processes come in the order of their numbers, so this is the
/// oldest one in general: in a container its first.
std::map<NamespaceId, pid_t> processes(NamespaceId own, const std::atomic<bool>& stop) {
  std::map<NamespaceId, pid_t> out;
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end && !stop; at.increment(error)) {
    const auto number = parse_uint(at->path().filename().string());
    if (!number) continue;
    const auto process = static_cast<pid_t>(*number);
    const auto id = id_of(path_of(process));  // none: it has ended, it is a zombie, or it may not be looked at
    if (id && *id != own) out.emplace(*id, process);
  }
  return out;
}

/// Looks into one namespace after the other.
class Visit {
 public:
  Visit(const LookRequest& request, Look& look) : request_(request), look_(look), watched_(request.held.size()) {}

  void enter(NamespaceId id, pid_t process) {
    Look::Found found{id, {}, Fd(open_process(process)), {}, {}};
    if (!found.holder) return miss(id, errno);
    const Fd place(::open(path_of(process).c_str(), O_RDONLY | O_CLOEXEC));
    if (!place) return miss(id, errno);
    // While the process lives, its number is not another one's: so `place` is its namespace.
    struct stat now {};
    if (has_ended(found.holder) || ::fstat(place.get(), &now) != 0 || now.st_ino != id) return miss(id, ESRCH);
    if (::setns(place.get(), CLONE_NEWNET) != 0) {
      refused_ = "setns: " + std::generic_category().message(errno);
      return;
    }
    entered_ = true;
    found.addresses = local_ones(request_.wanted);
    if (!found.addresses.empty()) keep(std::move(found));
  }

  /// Why no namespace could be entered; empty = one was, or there was none.
  std::string refused() const { return entered_ ? "" : refused_; }

 private:
  void keep(Look::Found found) {
    if (!request_.held.contains(found.id)) {
      if (watched_ >= request_.most) return leave_out("more than " + std::to_string(request_.most) + " namespaces");
      auto connection = SocketEvents::connect();
      if (!connection) return leave_out(connection.error().message());
      auto lists = Listeners::connect();
      if (!lists) return leave_out(lists.error().message());
      found.connection = std::move(*connection);
      found.lists = std::move(*lists);
      ++watched_;
    }
    look_.found.push_back(std::move(found));
  }

  /// A namespace could not be opened, and may still be there.
  void miss(NamespaceId id, int error) {
    const auto held = request_.held.find(id);
    if (held != request_.held.end()) look_.found.push_back({id, held->second, {}, {}, {}});
    if (error == ESRCH || error == ENOENT) {
      look_.again = true;
    } else if (held == request_.held.end()) {
      leave_out(std::generic_category().message(error));
    }
  }

  void leave_out(std::string why) {
    ++look_.unwatched;
    look_.unwatched_why = std::move(why);
  }

  const LookRequest& request_;
  Look& look_;
  std::size_t watched_;
  bool entered_ = false;
  std::string refused_;
};

}  // namespace

std::string missing_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return "";  // then the calls themselves say it
  std::vector<std::string> out;
  if ((sets[0].effective & (1U << CAP_SYS_ADMIN)) == 0) out.emplace_back("CAP_SYS_ADMIN");
  if ((sets[0].effective & (1U << CAP_SYS_PTRACE)) == 0) out.emplace_back("CAP_SYS_PTRACE");
  return join(out, " and ");
}

Look look_for_namespaces(const LookRequest& request, const std::atomic<bool>& stop) {
  Look out;
  out.own = local_ones(request.wanted);
  const auto is_elsewhere = [&](const IpAddress& address) {
    return !address.is_loopback() && !out.own.contains(address);
  };
  bool any = !request.held.empty();
  for (const IpAddress& address : request.wanted) any = any || is_elsewhere(address);
  if (!any) return out;
  const std::string missing = missing_capabilities();
  if (!missing.empty()) {
    out.denied = missing + (missing.find(' ') == std::string::npos ? " is missing" : " are missing");
    return out;
  }
  const auto own = id_of("/proc/thread-self/ns/net");
  if (!own) {
    out.denied = "/proc/thread-self/ns/net: " + std::generic_category().message(errno);
    return out;
  }
  Visit visit(request, out);
  for (const auto& [id, process] : processes(*own, stop)) {
    if (stop) break;
    visit.enter(id, process);
  }
  out.denied = visit.refused();
  return out;
}

}  // namespace meshdns::probes
