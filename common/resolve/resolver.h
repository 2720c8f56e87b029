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

/// The settings of a Resolver.
struct Options {
  std::vector<SocketAddress> servers;  // empty = the servers in /etc/resolv.conf, which is read for each name
  Duration timeout = 2s;               // for each server in the first round; doubles with each round
  int tries = 2;                       // rounds over all servers
};

/// Asks DNS for the addresses of names, without blocking and without a thread of its own. It does not use a search list
/// or /etc/hosts, and does not cache: the caller asks again after Answer::ttl. Each lookup has sockets of its own.
/// thread: the loop's
class Resolver {
 public:
  using Done = std::function<void(Result<Answer>)>;

  /// `loop` must outlive the resolver.
  Resolver(process::EventLoop& loop, Options options);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  /// Ends the running lookups without calling their `done`.
  ~Resolver();

  /// Asks for the addresses of both families; takes at most 64 of each.
  /// requires: `name` is a host name (model::is_host_name)
  /// done: called exactly once, never before this function returns
  /// errors: NotFound: DNS says that the name does not exist or has no addresses. All others mean that the answer is
  /// unknown: DeadlineExceeded (no server answered), Unavailable (every server refused or failed), ResourceExhausted
  /// (no memory or descriptors), Internal
  void resolve(const std::string& name, Done done);
  /// Replaces Options::servers for later lookups.
  void set_servers(std::vector<SocketAddress> servers) { options_.servers = std::move(servers); }

 private:
  class Lookup;

  process::EventLoop& loop_;
  Options options_;
  std::set<std::shared_ptr<Lookup>> lookups_;
};

}  // namespace meshdns::resolve
