#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/kubernetes/events.h"
#include "common/model/endpoint.h"
#include "common/model/shared.h"
#include "common/time/time.h"
#include "dnsd/kubernetes/gathered_member.h"
#include "dnsd/kubernetes/object_table.h"
#include "dnsd/kubernetes/objects.h"

namespace meshdns::kubernetes {

/// The services of a pod, as the EndpointSlices of its cluster list it.
struct PodServices {
  std::string namespace_;
  std::string node;  // empty = no slice says it
  model::Memberships memberships;
};

/// An endpoint as EndpointSlices describe it, for the case that no agent owns it.
struct SliceRecord {
  model::Endpoint endpoint;
  model::Node node;  // where the endpoint is; without addresses and prefixes
};

/// The annotations meshdns.io/hosts of all Namespaces that have one, by the Namespace's name.
using NamespaceHosts = std::map<std::string, std::string>;

/// What has changed since the last call of ServiceDirectory::take_changes().
struct DirectoryChanges {
  bool first = false;  // these are all pods and endpoints that exist
  /// By the pod's uid; nothing = it is in no service any more.
  std::vector<std::pair<std::string, std::optional<PodServices>>> pods;
  /// By the record's key; nothing = the endpoint is gone.
  std::vector<std::pair<std::string, std::optional<SliceRecord>>> endpoints;
  std::vector<std::string> gone_nodes;  // names of Nodes that were deleted
  std::optional<NamespaceHosts> hosts;  // of all Namespaces; nothing = unchanged

  bool empty() const { return !first && pods.empty() && endpoints.empty() && gone_nodes.empty() && !hosts; }
};

/// The name of the node of endpoints that are on no Node or are no pods, followed by "." and their zone. No Node has
/// such a name: those are in lower case.
inline constexpr const char* kWithoutNode = "Without-Node";

// How it works
//
// The unit is the member: a pod, or an address in a Service that is no pod. A slice that changes makes dirty the
// members whose entries in it differ; a Service, a Namespace or a ServiceExport makes dirty the members of the slices
// of the Services concerned; a Node makes dirty its own members. take_changes() makes the records of the dirty members
// anew, each from all slices that list it:
//
//   Slice s1 (web, IPv4) -----.
//   Slice s2 (web, IPv6) ------> member "u1" -> services web, web-headless; addresses of both families
//   Slice s3 (web-headless) --'
//
// So a member is gone when no slice lists it, not when the first one stops doing so: the controller moves endpoints
// between the slices of a Service. Where slices disagree, because the controller changes them one after the other, the
// worse condition counts.
//
// Nothing is said before all kinds of objects have been listed once, and then everything at once: a Service without its
// Namespace would be taken as not exported, which other clusters would notice.

/// Joins the Services, EndpointSlices, Nodes, Namespaces and ServiceExports of one cluster: which pods are in which
/// services, and which endpoints there are. Pure.
class ServiceDirectory {
 public:
  enum class Kind : std::uint8_t { Services, Slices, Nodes, Namespaces, Exports };

  explicit ServiceDirectory(std::string cluster);
  ServiceDirectory(const ServiceDirectory&) = delete;
  ServiceDirectory& operator=(const ServiceDirectory&) = delete;

  void take(Kind kind, const Notice& notice);
  /// Takes note that the cluster has no ServiceExports, because it does not have their API.
  void without_exports() { has_exports_ = false; }

  /// Whether all kinds of objects have been listed once.
  bool complete() const;
  /// Whether take_changes() has something to say.
  bool dirty() const;
  /// Returns what has changed since the last call; nothing before complete().
  DirectoryChanges take_changes(TimePoint now);

  /// What a ServiceExport of a name exports.
  enum class Exported : std::uint8_t { Service, NoService, ExternalName };
  /// requires: complete()
  Exported exported_service(const ObjectName& name) const;

  std::size_t services() const { return services_.size(); }
  std::size_t slices() const { return slices_.size(); }
  std::size_t members() const { return members_.size(); }
  std::size_t nodes() const { return nodes_.size(); }
  /// Why objects could not be read: "shop/web: spec: expected an object (got a text)". Their last versions are used.
  std::vector<std::string> problems() const;
  /// Counts the changes of problems().
  std::uint64_t problem_changes() const;
  /// What is left out on purpose, for people: "Services of type ExternalName, which have no endpoints
  /// (2): shop/db, shop/mail".
  std::vector<std::string> notes() const;

 private:
  /// A pod, or an address in a Service.
  struct Member {
    std::set<std::string> slices;  // uids of the slices that list it
    std::string namespace_;        // the slices of other namespaces do not count: they name a foreign pod
    std::string key;               // of the record that was told; empty = none
    bool in_services = false;      // its services were told
    model::HealthState state = model::HealthState::Pending;
    TimePoint since{};  // of the state
  };
  /// A Service of which there is a Service, a slice or a ServiceExport.
  struct Entry {
    std::string service;            // uid; empty = there is none
    std::set<std::string> slices;   // uids
    std::set<std::string> exports;  // uids of its ServiceExports: at most one, except while one replaces another
  };

  void service_changed(const Service* before, const Service* now);
  void slice_changed(const Slice* before, const Slice* now);
  void node_changed(const NodePlace* before, const NodePlace* now);
  void namespace_changed(const Namespace* before, const Namespace* now);
  void export_changed(const ServiceExport* before, const ServiceExport* now);
  /// hosts: empty = the Namespace has none, or does not exist
  void set_hosts(const std::string& name, const std::string& hosts);

  /// Makes dirty the members of a Service, and drops its entry if it is empty.
  void touch_service(const ObjectName& name);
  void drop_if_empty(const ObjectName& name);
  void touch_members_at(const std::string& place);
  void count_place(const NodePlace& node, bool comes);
  /// Notes that a slice lists its members, or no longer does.
  void list(const Slice& slice);
  void unlist(const Slice& slice);

  bool is_exported(const Service& service, const Entry& entry) const;
  /// Returns the Service of a slice, if its endpoints count; null = they do not.
  const Service* service_of(const Slice& slice) const;
  GatheredMember gather(const std::string& id, const Member& member) const;
  /// Returns the record of a member; nothing = it is in no service, or its Node does not exist.
  std::optional<SliceRecord> record_of(const std::string& id, Member& member, const GatheredMember& gathered,
                                       TimePoint now);
  /// Returns where a member is; nothing = on a Node that does not exist.
  std::optional<model::Node> node_of(const GatheredMember& gathered) const;
  /// Returns the region of a zone, as any Node in the zone says it.
  std::string region_of(const std::string& zone) const;
  /// Gives a member the namespace of one of its slices, unless one of them has the member's own.
  void settle_namespace(Member& member) const;
  /// Writes the changes of a member since it was told last.
  void tell(const std::string& id, Member& member, TimePoint now, DirectoryChanges& out);

  const std::string cluster_;
  ObjectTable<Service> services_;
  ObjectTable<Slice> slices_;
  ObjectTable<NodePlace> nodes_;
  ObjectTable<Namespace> namespaces_;
  ObjectTable<ServiceExport> exports_;
  bool has_exports_ = true;

  std::map<ObjectName, Entry> entries_;                              // by the Service's name
  std::unordered_map<std::string, std::string> node_uids_;           // by name
  std::unordered_map<std::string, std::string> namespace_uids_;      // by name
  std::map<std::string, std::map<std::string, std::size_t>> zones_;  // zone -> region -> Nodes
  std::unordered_map<std::string, Member> members_;                  // by uid of the pod, or "slice/..."
  // Name of a Node, or "zone/..." for members without one -> its members, with how many entries of slices say so.
  std::unordered_map<std::string, std::unordered_map<std::string, std::size_t>> place_members_;
  std::set<std::string> dirty_;  // members
  std::set<std::string> gone_nodes_;
  NamespaceHosts hosts_;
  bool hosts_changed_ = true;            // since they were told
  std::set<ObjectName> external_names_;  // Services of that type
  std::set<std::string> named_slices_;   // uids of slices whose addresses are names
  bool told_ = false;                    // take_changes() has said everything once
  model::SharedPool<model::Memberships, model::SharedHash> memberships_;
};

}  // namespace meshdns::kubernetes
