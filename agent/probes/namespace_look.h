#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/probes/namespace_table.h"
#include "common/net/fd.h"

namespace meshdns::probes {

/// What a look shall find.
struct LookRequest {
  std::set<IpAddress> wanted;
  std::map<NamespaceId, std::set<IpAddress>> held;  // are watched already, with their addresses
  std::size_t most = 0;                             // so many namespaces may be watched, with those that are held
};

/// What a look has found.
struct Look {
  struct Found {
    NamespaceId id = 0;
    std::set<IpAddress> addresses;  // the wanted ones
    Fd holder;                      // pidfd of a process in the namespace: readable when the process has ended
    Fd connection;                  // of SocketEvents::connect(), in the namespace; none if it is held already
    Fd lists;                       // of Listeners::connect(); likewise
  };
  std::set<IpAddress> own;  // wanted addresses that are in the agent's own namespace
  std::vector<Found> found;
  std::string denied;         // why nothing may be looked up: "CAP_SYS_ADMIN is missing"; empty = it may
  std::size_t unwatched = 0;  // namespaces beyond `most`, and those for which something was missing
  std::string unwatched_why;
  // Something has changed meanwhile: a process has ended that stood for its namespace. Another look is needed. A held
  // namespace that it concerns is in `found`, without holder.
  bool again = false;
};

/// Looks which network namespaces of this machine have wanted addresses, and opens a connection in each: enters each
/// distinct namespace of /proc/*/ns/net by setns(2). If all addresses are the own namespace's it looks no further.
/// Takes about 5 us for each process, and 50 us for each namespace. The calling thread is in another namespace
/// afterwards, so it must end.
/// requires: CAP_SYS_ADMIN (setns) and CAP_SYS_PTRACE (/proc/PID/ns of other users' processes)
/// stop:     ends the look early
/// source:   setns(2), network_namespaces(7), pidfd_open(2)
Look look_for_namespaces(const LookRequest& request, const std::atomic<bool>& stop);

/// Returns the names of the capabilities that look_for_namespaces() needs and the thread lacks; empty = none.
std::string missing_capabilities();

}  // namespace meshdns::probes
