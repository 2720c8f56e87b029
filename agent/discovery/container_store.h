#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "agent/discovery/container.h"

namespace meshdns::discovery {

/// The containers of this node that have labels of meshdns, by id, kept equal to what the API says. Pure: it says which
/// container is to be inspected next, and the owner asks the API.
///
/// How it works: only an inspection tells what a container is. A list and an event tell which containers to inspect:
///
///   take_list()   every container of the list, and every known one: a list may be older than what is known
///   take_event()  the container of the event. An event that says that a container does not serve counts at once, and
///                 the inspection confirms it
///   take()        the answer to an inspection. An answer that was under way while an event came is older than the
///                 event: it does not count, and the container is inspected again
///
/// So the order of lists, events and answers does not matter, and no list removes a container: what exists no more is
/// not found by its inspection. An answer that cannot be read leaves the container as it was, and is a problem.
///
/// The id is the container's identity. A container that gets the name of another one is another container.
class ContainerStore {
 public:
  /// Takes the ids of the containers with labels of meshdns, all of them.
  void take_list(const std::set<std::string>& ids);
  /// Takes an event.
  /// returns: whether containers() changed
  bool take_event(const ContainerEvent& event);

  /// Returns a container to inspect, and counts it as being inspected; nothing = there is none, or one is inspected
  /// now.
  std::optional<std::string> next();
  /// Takes the answer to the inspection that is under way.
  /// container: nothing = it does not exist
  /// returns:   whether containers() or problems() changed
  bool take(const Result<std::optional<Container>>& container);
  /// The inspection that is under way will have no answer.
  void interrupted();

  /// Whether everything of the last list has been inspected.
  bool settled() const { return wanted_.empty() && !under_way_; }
  const std::map<std::string, Container>& containers() const { return containers_; }
  /// Why containers could not be read, by id: "0123456789ab: Config.Labels: expected an object (got a text)".
  const std::map<std::string, std::string>& problems() const { return problems_; }

 private:
  bool forget(const std::string& id);

  std::map<std::string, Container> containers_;
  std::map<std::string, std::string> problems_;
  std::set<std::string> wanted_;          // to be inspected
  std::optional<std::string> under_way_;  // being inspected
  bool outdated_ = false;                 // an event of under_way_ has come
};

}  // namespace meshdns::discovery
