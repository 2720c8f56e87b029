#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/model/records.h"

namespace meshdns::topology {

// How it works. A selector looks only in its narrowest group: the endpoints of a service, with one label, or of a
// namespace. Each service with endpoints has a group, and an endpoint of several services is in the group of each;
// groups of labels and namespaces exist only where some selector
// needs them. The other way round, an endpoint's groups know the objects whose selectors look there: so a change of an
// endpoint finds its objects without a walk over all of them.
//
//   "service shop web"    -> endpoints; keys of the objects whose selectors look here
//   "label shop tier gold" -> the same, made by rebuild()
//   "namespace shop"       -> the same, made by rebuild()

/// Finds the endpoints that a selector matches, and the objects whose selectors match an endpoint. Used by Planner,
/// which passes on the changes of the records. Pure.
class EndpointGroups {
 public:
  using Endpoints = std::vector<const model::Endpoint*>;

  /// records: must outlive this
  explicit EndpointGroups(const model::Records& records) : records_(records) {}

  /// Adds an endpoint to its groups. The endpoint must stay valid until remove().
  void add(const model::Endpoint& endpoint);
  /// Removes an endpoint from its groups.
  /// requires: the endpoint still exists, unchanged
  void remove(const model::Endpoint& endpoint);
  /// Makes the groups that the selectors of the present objects need, and drops those that none needs any more. Called
  /// after objects changed.
  void rebuild();

  /// Returns the objects with a selector that matches the endpoint; the endpoint's cluster is not looked at. An object
  /// may be named twice.
  std::vector<const model::VirtualDestination*> objects_of(const model::Endpoint& endpoint) const;

  // ---- endpoints, in the order of their keys ----

  Endpoints of_service(const model::ServiceKey& service) const;
  /// own_namespace: the namespace of the selector's object
  Endpoints of_selector(const model::ServiceSelector& selector, const std::string& own_namespace) const;
  Endpoints of_object(const model::VirtualDestination& object) const;

  // ---- how many they are: never too few ----

  std::size_t most_of_service(const model::ServiceKey& service) const;
  std::size_t most_of_object(const model::VirtualDestination& object) const;

 private:
  /// Endpoints with one property that selectors look for first: a service, a label, or a namespace.
  class Group {
   public:
    std::set<std::string> objects;  // keys of the objects whose selectors look in this group
    /// The group contains all its endpoints; false while rebuild() still has to add them.
    bool filled = true;

    void add(const model::Endpoint* endpoint);
    /// Removes an endpoint in constant time: the next call of members() erases it from the list.
    void remove(const model::Endpoint* endpoint) { gone_.insert(endpoint); }
    std::size_t size() const { return members_.size() - gone_.size(); }
    const Endpoints& members() const;

   private:
    mutable Endpoints members_;
    mutable std::unordered_set<const model::Endpoint*> gone_;  // still in members_; may be dangling: only compared
  };
  using Groups = std::unordered_map<std::string, Group>;

  /// Visits the groups of an endpoint that exist.
  template <class Self, class Visit>
  static void visit_groups(Self& self, const model::Endpoint& endpoint, Visit visit);
  std::size_t size_of(const std::string& group) const;
  void add_matches(const model::ServiceSelector& selector, const std::string& own_namespace, Endpoints& out) const;

  const model::Records& records_;
  Groups groups_;
  bool more_than_services_ = false;  // some selector looks for a label or a namespace
};

}  // namespace meshdns::topology
