#pragma once

#include <set>
#include <string>
#include <vector>

#include "agent/mapping/ruleset.h"

namespace meshdns::mapping {

/// A rule that is wanted for an endpoint of this node.
struct Wish {
  std::string endpoint;  // its key
  Rule rule;

  friend bool operator==(const Wish&, const Wish&) = default;
};

/// A socket that takes new connections, or datagrams from everybody.
struct Listener {
  SocketAddress where;  // may be a wildcard address
  Protocol protocol = Protocol::Tcp;
  bool v6_only = false;  // of a socket on ::, which otherwise takes IPv4, too

  friend bool operator==(const Listener&, const Listener&) = default;
};

/// What counts of the machine's network namespace.
struct Facts {
  std::vector<Listener> listeners;
  std::set<IpAddress> addresses;  // of all interfaces
};

/// What becomes of a wish.
struct Verdict {
  Wish wish;
  std::string refused{};  // why it is refused, for people; empty = its rule is to be in the table

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// Decides which wishes are granted. A wish is refused
///   * at an address that the machine does not have: the kernel may not see all packets to it, and its listeners are
///     not known
///   * where a process listens on the number itself, which the rule would cut off
///   * where another endpoint's wish has the same address and number, but another target. The wish whose rule is there
///     already stays, otherwise the first one is granted.
/// Pure.
/// present: the rules in the table now
/// returns: a verdict for each wish, in their order
std::vector<Verdict> judge(const std::vector<Wish>& wishes, const Facts& facts, const std::set<Rule>& present);

/// Returns the rules of granted wishes, each once, in order.
std::vector<Rule> granted(const std::vector<Verdict>& verdicts);

}  // namespace meshdns::mapping
