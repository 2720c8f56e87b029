#include "common/net/local_user.h"

#include <pwd.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

namespace meshdns {

struct LocalUser::Search {
  std::promise<std::string> found;
  const std::shared_future<std::string> name{found.get_future()};
  std::atomic<bool> in_vain = false;  // somebody has waited, and there was no name yet
};

std::string user_name(std::uint32_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const bool read = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return read ? std::string(found->pw_name) : std::to_string(uid);
}

std::optional<std::uint32_t> uid_at(int descriptor) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer) return std::nullopt;
  if (peer.uid == static_cast<uid_t>(-1)) return std::nullopt;  // the kernel's word for other kinds of sockets
  return peer.uid;
}

LocalUser::LocalUser(std::uint32_t uid, std::shared_ptr<Search> search) : uid_(uid), search_(std::move(search)) {}

LocalUser::LocalUser(std::uint32_t uid, std::string name) : LocalUser(uid, std::make_shared<Search>()) {
  search_->found.set_value(std::move(name));
}

LocalUser LocalUser::look_up(std::uint32_t uid, Lookup lookup) {
  const auto search = std::make_shared<Search>();
  try {
    // detached: a name service that never answers must not keep the process from ending
    std::thread([search, uid, lookup = std::move(lookup)] { search->found.set_value(lookup(uid)); }).detach();
  } catch (const std::system_error&) {  // the system gives no thread
    search->found.set_value(std::to_string(uid));
  }
  return {uid, search};
}

std::string LocalUser::name() const {
  const bool known = search_->name.wait_for(0s) == std::future_status::ready;
  return known ? search_->name.get() : std::to_string(uid_);
}

void LocalUser::await_name(Duration patience) const {
  if (!search_->in_vain && search_->name.wait_for(patience) != std::future_status::ready) search_->in_vain = true;
}

}  // namespace meshdns
