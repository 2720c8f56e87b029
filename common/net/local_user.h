#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/time/time.h"

namespace meshdns {

/// Returns the name of a user of this machine; the number if the user has no name. A name service in the network may
/// let it wait for long.
std::string user_name(std::uint32_t uid);

/// Returns the number of the user whose process is at the other end of a unix socket, as the kernel noted it when the
/// process connected (SO_PEERCRED).
/// returns: nothing = `descriptor` is no unix socket
std::optional<std::uint32_t> uid_at(int descriptor);

/// A user of this machine. Copies share the name.
/// thread: any
class LocalUser {
 public:
  using Lookup = std::function<std::string(std::uint32_t uid)>;

  LocalUser() : LocalUser(0, "") {}
  LocalUser(std::uint32_t uid, std::string name);
  /// Looks the name up on a thread of its own, so that nobody waits for a name service that does not answer.
  static LocalUser look_up(std::uint32_t uid, Lookup lookup = user_name);

  std::uint32_t uid() const { return uid_; }
  /// Returns the name; the number while the name is not known.
  std::string name() const;
  /// Waits until the name is known. Does nothing if somebody has waited in vain already.
  void await_name(Duration patience) const;

 private:
  struct Search;
  LocalUser(std::uint32_t uid, std::shared_ptr<Search> search);

  std::uint32_t uid_;
  std::shared_ptr<Search> search_;
};

}  // namespace meshdns
