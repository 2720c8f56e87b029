#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "common/net/ip_address.h"
#include "common/time/time.h"

namespace meshdns::probes {

/// Identifies a network namespace: the inode number of /proc/PID/ns/net. A number is used again after its namespace has
/// ended, so it is only good while a descriptor of the namespace is held.
using NamespaceId = std::uint64_t;

/// Knows which of the wanted addresses is in which network namespace, and when to look again. Pure: NamespaceEvents has
/// the descriptors.
///
/// How it works: each wanted address is in one of three places:
///
///   own      an address of the agent's own namespace; SocketEvents reports its sockets
///   found    an address of a namespace in the table
///   missing  in none: its process has not started yet, it is on another machine, or nothing may be looked up
///
/// A look at all processes finds the namespaces. It costs time, so it is made only where something is missing or a
/// namespace may have ended, and more and more rarely while nothing changes: after kFirstWait, then twice as long each
/// time, up to kLongestWait.
class NamespaceTable {
 public:
  static constexpr Duration kFirstWait = 1s;
  static constexpr Duration kLongestWait = 1min;

  /// A namespace that a look has found.
  struct Seen {
    NamespaceId id = 0;
    std::set<IpAddress> addresses;  // the wanted ones that are in it
  };

  /// Replaces the wanted addresses.
  /// returns: the namespaces that nothing is wanted of any more; they are forgotten
  std::vector<NamespaceId> want(std::set<IpAddress> addresses);
  /// Begins a look. What want() and doubt() say after this makes another look due.
  void begin() { due_ = false; }
  /// Takes what the look has found. Namespaces of the table that are not in `seen` have ended, or have lost their
  /// addresses, and are forgotten.
  /// own:     the wanted addresses that are in the agent's own namespace
  /// returns: these, each with the addresses that it had
  std::vector<Seen> take(std::set<IpAddress> own, const std::vector<Seen>& seen);
  /// Takes note that the process that held a namespace has ended, so that the next look is due at once.
  void doubt() { due_ = true; }

  /// Returns how long after the end of the last look the next one is due; Duration::max() = nothing is missing.
  Duration wait() const;
  const std::set<IpAddress>& wanted() const { return wanted_; }
  /// Returns the addresses of a namespace that were found; empty = the namespace is not in the table.
  std::set<IpAddress> addresses_of(NamespaceId id) const;
  std::size_t namespaces() const { return found_.size(); }
  std::size_t missing() const;

 private:
  bool is_missing(const IpAddress& address) const;
  void index();

  std::set<IpAddress> wanted_;
  std::set<IpAddress> own_;
  std::map<NamespaceId, std::set<IpAddress>> found_;
  std::set<IpAddress> in_found_;  // all addresses of found_
  bool due_ = false;
  Duration wait_ = kFirstWait;
};

}  // namespace meshdns::probes
