#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/kubernetes/events.h"
#include "dnsd/resources/resource.h"

namespace meshdns::resources {

/// Follows operators' objects in the Kubernetes API, and says which changes of the federation's objects follow.
///
/// How it works: events of one kind go into `resources_`. An object whose text has changed is read by the rules of
/// `meshdnsctl apply`; what is valid waits in `put_`, what is not is refused. The owner takes the changes, applies
/// them, and says what was refused then. When a list is complete, the objects of its kind that were not in it are
/// erased, also those that an earlier run has left behind: the API has them no more.
///
/// An object that is refused changes nothing: the version before stays in force. Gateway API allows that, and for names
/// it is the only choice that takes nobody's answers away. An owner that has never seen the version before, because it
/// has just become the leader with an empty store, has nothing that could stay.
class Follower {
 public:
  /// The kind of a problem.
  enum class Why : std::uint8_t { Invalid, HostNotAllowed };
  /// An object that exists in the API.
  struct Entry {
    Resource resource;
    std::string problem;                // why it is refused; empty = it is taken
    Why why = Why::Invalid;             // of the problem
    std::int64_t taken_generation = 0;  // the newest version that was taken; 0 = none in this process
  };
  /// What is to become of the federation's objects.
  struct Changes {
    std::vector<v1::Object> put;
    std::vector<std::string> erase;  // keys

    bool empty() const { return put.empty() && erase.empty(); }
  };

  /// The list of a kind begins.
  void begin(const Kind& kind);
  /// An object is like this.
  /// returns: its key; empty = it could not be read, and `unreadable()` counts it
  std::string take(const Kind& kind, const kubernetes::Event& event);
  /// The list of a kind is complete.
  /// known: the keys of the federation's objects that are managed here
  void listed(const Kind& kind, const std::vector<std::string>& known);

  /// Returns changes that have not been taken yet.
  /// most: of objects to put; the others come with the next call
  Changes take_changes(std::size_t most);
  bool has_changes() const { return !put_.empty() || !erase_.empty(); }
  /// The version of an object that was taken as a change last is applied.
  /// problem: why the rules of the catalog refuse it; empty = it is in force
  void settled(const std::string& key, const std::string& problem, Why why = Why::Invalid);
  /// Makes changes of the refused objects again: what they were refused for may not hold any more.
  void check_refused();

  /// The objects that exist in the API, by key.
  const std::map<std::string, Entry>& entries() const { return entries_; }
  bool is_listed(const Kind& kind) const { return listed_.contains(kind.own_name); }
  bool all_listed() const { return listed_.size() == kKinds.size(); }
  /// The number of refused objects.
  std::size_t refusals() const;
  std::uint64_t unreadable() const { return unreadable_; }

 private:
  void forget(const std::string& key);
  void refuse(Entry& entry, const std::string& problem, Why why = Why::Invalid);

  std::map<std::string, Entry> entries_;
  std::map<std::string, v1::Object> put_;  // by key
  std::set<std::string> erase_;
  std::set<std::string> refused_;                           // keys
  std::map<std::string_view, std::set<std::string>> told_;  // by kind: the keys that the list under way has named
  std::set<std::string_view> listed_;                       // kinds
  std::uint64_t unreadable_ = 0;
};

}  // namespace meshdns::resources
