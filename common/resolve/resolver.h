#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"
#include "common/resolve/answer.h"

namespace meshdns::resolve {

struct Options {
  std::vector<SocketAddress> servers;  // empty = those of /etc/resolv.conf, read anew for each name
  Duration timeout = 2s;               // for the first try at a server; each round over all of them doubles it
  int tries = 2;                       // rounds
};

/// Asks DNS for the addresses of names, without blocking and without a thread of its own. Names are taken as they are:
/// no search list, no /etc/hosts. Each lookup has sockets of its own.
/// thread: the loop's
class Resolver {
 public:
  using Done = std::function<void(Result<Answer>)>;

  /// loop: outlives it
  Resolver(process::EventLoop& loop, Options options);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  /// What is under way ends without a call.
  ~Resolver();

  /// Asks for the addresses of both families; at most 64 of each are taken.
  /// name: a host name (model::is_host_name)
  /// done: exactly once, never before this returns. Errors: NotFound: an authority says that there is no such name, or
  ///       that it has no addresses; else it could not be asked now: DeadlineExceeded (nobody answered), Unavailable
  ///       (every server refused or failed), ResourceExhausted (no memory or descriptors), Internal
  void resolve(const std::string& name, Done done);
  /// Who is asked for names from now on; empty = as Options has it.
  void set_servers(std::vector<SocketAddress> servers) { options_.servers = std::move(servers); }

 private:
  class Lookup;

  process::EventLoop& loop_;
  Options options_;
  std::set<std::shared_ptr<Lookup>> lookups_;
};

}  // namespace meshdns::resolve
