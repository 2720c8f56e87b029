#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/model/record_observer.h"
#include "common/model/records.h"
#include "dnsd/catalog/held_changes.h"
#include "dnsd/catalog/record_kinds.h"
#include "dnsd/catalog/serial.h"
#include "dnsd/catalog/validate.h"

namespace meshdns::catalog {

/// A record that changed or was removed at a revision.
struct Change {
  std::uint64_t revision = 0;
  RecordType type{};
  std::string key;
  bool removed = false;

  friend bool operator==(const Change&, const Change&) = default;
};

/// The records that a federation or a replica knows, with revisions and a log of changes. On a federation, agents,
/// measurements and operators change it; on a replica, the Mirror does. Does not compile answers, does not judge
/// silence and does not write to disk; observers and changes_since() serve these purposes. Pure: `now` comes from
/// outside. Each call that changes records is one revision, except mirror(), which collects until mirrored().
///
/// The parts are in catalog.cc, admission.cc (reports: which endpoints are taken), held_changes.cc (freeze),
/// forget.cc, mirror.cc and validate.cc (the checks).
/// thread: control
class Catalog {
 public:
  /// The default length of the log, in changes. More than one agent may report at a time.
  static constexpr std::size_t kLogLength = 100000;

  /// log_length: the number of changes that changes_since() can return; a revision with more is not remembered
  explicit Catalog(std::size_t log_length = kLogLength) : log_length_(log_length) {}

  const model::Records& records() const { return records_; }
  std::uint64_t revision() const { return revision_; }
  /// Counts every revision and never goes back, while the revision of a replica may begin anew. Changes by
  /// set_local_override(), which belong to no revision, are not counted.
  std::uint64_t generation() const { return generation_; }
  /// The generation in which a record of this type changed last; 0 = never.
  std::uint64_t generation_of(RecordType type) const { return touched_[static_cast<std::size_t>(type)]; }
  /// Returns when the last revision was made.
  TimePoint changed() const { return changed_; }
  /// Returns the changes after `revision`, oldest first. Nothing if the log does not reach back to it; the caller then
  /// has to compare all records(). Costs by the number of changes returned.
  std::optional<std::vector<Change>> changes_since(std::uint64_t revision) const;
  /// Sets the observer that is called with every change while it happens; null = none. The observer must outlive the
  /// catalog or be removed.
  void observe(model::RecordObserver* observer) { observer_ = observer; }

  /// Called with the type and key of each record while it changes. For callers that keep a list of changed keys and
  /// need no log. What the function refers to must outlive the catalog, or the function must be removed (empty).
  using Noted = std::function<void(RecordType, const std::string&)>;
  void set_noted(Noted noted) { noted_ = std::move(noted); }
  /// Sets the function that is called with the key of each endpoint that is erased, by whatever way; empty = none. It
  /// is also called for an endpoint that moves to another service and exists again afterwards.
  void set_erased(std::function<void(const std::string& key)> erased) { erased_ = std::move(erased); }
  /// Sets the clock for Service::created. Without a clock, services get no age.
  void set_wall_clock(std::function<std::int64_t()> unix_seconds) { unix_seconds_ = std::move(unix_seconds); }

  // ---- the zones' serial: a base at unix time plus the revision, so that it is equal wherever the revision is ----

  std::uint32_t serial() const { return serial_at(revision_); }
  std::uint32_t serial_at(std::uint64_t revision) const { return serial_base_ + static_cast<std::uint32_t>(revision); }
  /// Sets the serial of the present revision.
  void set_serial(std::uint32_t serial) { serial_base_ = serial - static_cast<std::uint32_t>(revision_); }
  /// Makes the serial newer than `seen`, which somebody has already seen.
  void pass_serial(std::uint32_t seen) {
    if (!is_newer_serial(serial(), seen)) set_serial(seen + 1);
  }

  // ---- bounds ----

  /// Sets how many records the catalog takes from agents and other origins; nodes always fit. 0 = no limit.
  void set_capacity(std::size_t records) { capacity_ = records; }
  /// Sets whether loopback addresses may be answered; by default they are refused.
  void set_loopback(Loopback loopback) { loopback_ = loopback; }
  Loopback loopback() const { return loopback_; }
  /// The number of records refused so far, by whatever way they came.
  std::uint64_t refused_records() const { return refused_records_; }
  /// The number of all records.
  std::size_t size() const;
  /// Returns whether one more endpoint, with its service, can be taken. Endpoints that a freeze holds back count.
  bool has_room() const { return room() > 0; }
  /// The number of endpoints that can still be taken, if each brings a service.
  std::size_t room() const;
  /// Returns whether a record was refused for want of room, and less than a twentieth of the capacity is free since.
  bool full() const { return full_; }
  void note_refused_for_room() { full_ = true; }

  // ---- reports; keys of endpoints are "<node key>/<the agent's key>" ----

  // An endpoint whose key does not begin with the key of the reporting node is refused; so are endpoints beyond the
  // node's share (kMostNodeEndpoints, kMostNodeBytes).

  /// Adds or replaces a node. A node that was silent counts as heard again; the problems that its agent reported stay.
  /// returns: nothing = taken
  std::optional<Refusal> put_node(const model::Node& node, TimePoint now);
  /// Takes a node's whole listing. Withdraws endpoints that are missing in it if their source is in `listed`. A serving
  /// endpoint stays while another one of its service on the node is not published yet (unpublished_services()), so that
  /// a replacement is answered before the replaced endpoint goes.
  /// returns: the refused records
  std::vector<Refusal> apply_full(const std::string& node, const std::vector<model::Endpoint>& endpoints,
                                  const std::set<std::string>& listed, TimePoint now);
  /// Takes changed and removed endpoints of a node. A refused endpoint keeps its last good version, with the reported
  /// health if both versions have the same addresses and ports. A removal of another node's endpoint is refused, too.
  /// returns: the refused records
  std::vector<Refusal> apply_delta(const std::string& node, const std::vector<model::Endpoint>& upserts,
                                   const std::vector<std::string>& removals, TimePoint now);
  /// Removes a node and its endpoints at once, because the node itself says that it goes.
  void withdraw(const std::string& node, TimePoint now);
  /// Marks endpoints that no agent checks. An agent that has a result for an endpoint clears its mark.
  void set_unwatched(const std::vector<std::string>& keys, TimePoint now);
  /// Sets a node's status; an empty status is erased.
  void set_status(const std::string& node, const model::NodeStatus& status, TimePoint now);

  /// Sets the measurements of a cluster's agents; an empty status is erased.
  void set_cluster_status(const std::string& cluster, const model::ClusterStatus& status, TimePoint now);
  /// Sets the addresses to which a hostname of external endpoints has resolved; a name without addresses is erased.
  /// requires: no address that check() refuses
  void set_external_name(const std::string& hostname, const model::ExternalName& name, TimePoint now);

  // ---- freeze: while an Override with that action exists, changes from agents and measurements are taken, but held
  // back. When the last such Override goes, they are applied in one revision. Nothing is forgotten meanwhile ----

  bool frozen() const { return frozen_; }
  /// The number of changes that are held back.
  std::size_t held() const { return held_.size(); }
  /// Each returns the latest version of a record, held back or not; null = none.
  const model::Endpoint* latest_endpoint(const std::string& key) const {
    return held_.endpoints.latest(records_.endpoints, key);
  }
  const model::NodeStatus* latest_status(const std::string& node) const {
    return held_.statuses.latest(records_.statuses, node);
  }
  const model::Node* latest_node(const std::string& node) const { return held_.nodes.latest(records_.nodes, node); }
  const model::ClusterStatus* latest_cluster_status(const std::string& cluster) const {
    return held_.cluster_statuses.latest(records_.cluster_statuses, cluster);
  }
  bool knows_node(const std::string& node) const { return latest_node(node) != nullptr; }
  /// Returns the keys of a node's endpoints as they were reported last, held back or not.
  std::vector<std::string> keys_of(const std::string& node) const;
  /// Returns the services with endpoints on the node that are not published yet: they wait for their first success.
  std::set<model::ServiceKey> unpublished_services(const std::string& node) const;

  // ---- operators ----

  /// Each adds or replaces an operator's object.
  /// returns: nothing = taken
  std::optional<Refusal> put_destination(const model::VirtualDestination& object, TimePoint now);
  std::optional<Refusal> put_cluster(const model::Cluster& object, TimePoint now);
  void put_override(const model::Override& object, TimePoint now);
  /// Each removes an operator's object.
  /// returns: false = there is none
  bool erase_destination(const std::string& key, TimePoint now);
  bool erase_cluster(const std::string& name, TimePoint now);
  bool erase_override(const std::string& name, TimePoint now);

  // ---- another origin's records, as a replica gets them, or our own records from the store. mirror() returns nothing
  // if the record was taken; a refused record changes nothing. The caller ends a group of calls with mirrored() ----

  std::optional<Refusal> mirror(const model::Node& node);
  std::optional<Refusal> mirror(const model::Endpoint& endpoint);
  std::optional<Refusal> mirror(const std::string& node, const model::NodeStatus& status);
  std::optional<Refusal> mirror(const model::ServiceKey& service, std::int64_t created = 0);
  std::optional<Refusal> mirror(const model::VirtualDestination& object);
  std::optional<Refusal> mirror(const model::Cluster& object);
  std::optional<Refusal> mirror(const std::string& cluster, const model::ClusterStatus& status);
  std::optional<Refusal> mirror(const std::string& hostname, const model::ExternalName& name);
  std::optional<Refusal> mirror(const model::Override& object);
  void unmirror(RecordType type, const std::string& key);
  /// Sets an override of this process alone, under a key that no origin uses. It belongs to no revision and is never
  /// among the changes.
  void set_local_override(const std::string& key, const model::Override& object) { place_override(key, object); }
  void erase_local_override(const std::string& key) { drop_override(key); }
  /// Makes everything that was mirrored since the last call one revision, with the origin's number.
  void mirrored(std::uint64_t revision, TimePoint now);

  // ---- time ----

  /// Returns whether a silent node and so many of its endpoints may be forgotten.
  using MayForget = std::function<bool(const std::string& node, std::size_t endpoints)>;
  /// The records that forget() has removed.
  struct Forgotten {
    struct OfNode {
      std::string node;
      std::size_t endpoints = 0;
      std::size_t kept = 0;  // endpoints kept because they are the last ones of their services
      TimePoint since{};     // when the node was last heard
    };
    std::vector<OfNode> nodes;
    std::vector<model::ServiceKey> services;
  };
  /// Forgets services without endpoints, and silent nodes, after `forget_after`. The last endpoint of a service stays,
  /// and with it its node. Costs by the number of silent nodes and of services without endpoints.
  /// may_forget: asked for each node before anything of it goes; empty = all may go
  Forgotten forget(Duration forget_after, TimePoint now, const MayForget& may_forget = {});

  /// The number of a node's endpoints.
  std::size_t endpoints_of(const std::string& node) const;

 private:
  /// The part of its share that a node uses.
  struct NodeUse {
    std::size_t endpoints = 0;
    std::size_t bytes = 0;  // text_bytes() of all its endpoints
  };
  /// Counts a refusal if there is one, and returns it.
  std::optional<Refusal> counted(std::optional<Refusal> refusal);
  /// Puts the endpoints that are not refused.
  /// returns: the refused records
  std::vector<Refusal> put_endpoints(const std::string& node, const std::vector<model::Endpoint>& endpoints,
                                     TimePoint now);
  /// Returns why an endpoint of the node is refused; nothing = it can be put, and is added to `use`.
  std::optional<Refusal> refusal_of(const std::string& node, const model::Endpoint& endpoint, NodeUse& use,
                                    TimePoint now);
  /// Returns what a node uses now, held changes included.
  NodeUse use_of(const std::string& node) const;
  void count_use(const model::Endpoint& endpoint, bool add);
  void put_endpoint(const model::Endpoint& endpoint, TimePoint now);
  /// Gives the kept version of a refused endpoint the reported health, if both have the same addresses and ports.
  /// returns: false = they do not, so nobody checks the kept version any more
  bool keep_watched(const model::Endpoint& refused, TimePoint now);
  /// Adds or replaces an endpoint now, even in a frozen mesh.
  void write_endpoint(const model::Endpoint& endpoint, TimePoint now);
  /// Removes an endpoint, or holds the removal back if the mesh is frozen.
  void remove_endpoint(const std::string& key, TimePoint now);
  void erase_endpoint(const std::string& key, TimePoint now);
  /// Adds or replaces an endpoint's record; its service exists already.
  void store_endpoint(const model::Endpoint& endpoint);
  /// The shown and held records of one type, for the types that change without effects on other records.
  template <class Record>
  struct Kind {
    RecordType type;
    std::map<std::string, Record>& shown;
    HeldMap<Record>& held;
  };
  Kind<model::Node> nodes() { return {RecordType::Node, records_.nodes, held_.nodes}; }
  Kind<model::NodeStatus> statuses() { return {RecordType::NodeStatus, records_.statuses, held_.statuses}; }
  Kind<model::ClusterStatus> cluster_statuses() {
    return {RecordType::ClusterStatus, records_.cluster_statuses, held_.cluster_statuses};
  }
  Kind<model::ExternalName> external_names() {
    return {RecordType::ExternalName, records_.external_names, held_.external_names};
  }
  /// Sets a record now; nothing = erases it. The caller commits.
  template <class Record>
  void write(const Kind<Record>& kind, const std::string& key, const std::optional<Record>& record);
  /// Like write(), but holds the change back if the mesh is frozen. Does nothing if the record is equal already.
  template <class Record>
  void change(const Kind<Record>& kind, const std::string& key, const std::optional<Record>& record, TimePoint now);
  /// Applies all held changes. The caller commits.
  void release();
  template <class Record>
  void release(const Kind<Record>& kind);
  void store_override(const model::Override& object);
  void place_override(const std::string& key, const model::Override& object);
  bool drop_override(const std::string& key);
  void add_to_service(const model::ServiceKey& service);
  std::vector<model::ServiceKey> forget_services(Duration forget_after, TimePoint now);
  void note(RecordType type, const std::string& key, bool removed);
  void forget_log(std::uint64_t up_to);
  /// Makes the changes that were noted since the last call one revision.
  void commit(TimePoint now);
  /// Forgets the endpoints of a silent node that are not the last ones of their services.
  /// returns: nothing = the node is unchanged
  std::optional<Forgotten::OfNode> forget_node(const std::string& node, TimePoint now, const MayForget& may_forget);

  model::Records records_;
  model::SharedPool<model::Labels, model::SharedHash> labels_;  // of endpoints; many endpoints share the same labels
  model::SharedPool<model::Ports, model::SharedHash> ports_;
  std::set<model::ServiceKey> idle_services_;  // services that have no endpoint, or had none lately
  HeldChanges held_;
  bool frozen_ = false;
  std::size_t capacity_ = 0;
  Loopback loopback_ = Loopback::Refused;
  std::uint64_t refused_records_ = 0;
  std::unordered_map<std::string, NodeUse> uses_;  // by node, held changes excluded
  bool full_ = false;
  std::uint64_t revision_ = 0;
  std::uint32_t serial_base_ = 0;  // the serial of revision 0
  TimePoint changed_{};
  std::uint64_t generation_ = 0;
  std::array<std::uint64_t, kRecordTypes> touched_{};  // generation_of() by type
  std::vector<Change> pending_;                        // changes of the next revision, up to the log's length
  bool pending_overflow_ = false;                      // pending_ lacks some changes
  std::array<bool, kRecordTypes> pending_types_{};
  std::size_t log_length_;
  std::deque<Change> log_;
  std::uint64_t log_begins_after_ = 0;
  model::RecordObserver* observer_ = nullptr;
  Noted noted_;
  std::function<void(const std::string& key)> erased_;
  std::function<std::int64_t()> unix_seconds_;
  std::int64_t youngest_service_ = 0;  // the latest Service::created so far
};

}  // namespace meshdns::catalog
