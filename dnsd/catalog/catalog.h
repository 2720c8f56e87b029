#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/model/record_observer.h"
#include "common/model/records.h"
#include "dnsd/catalog/change_log.h"
#include "dnsd/catalog/forget.h"
#include "dnsd/catalog/held_changes.h"
#include "dnsd/catalog/node_share.h"
#include "dnsd/catalog/record_kinds.h"
#include "dnsd/catalog/record_table.h"
#include "dnsd/catalog/serial.h"
#include "dnsd/catalog/validate.h"

namespace meshdns::catalog {

/// The records that a federation or a replica knows, with revisions and a log of changes. On a federation, agents,
/// measurements and operators change it; on a replica, the Mirror does. Does not compile answers, does not judge
/// silence and does not write to disk; observers and changes_since() serve these purposes. Pure: `now` comes from
/// outside. Each call that changes records is one revision, except mirror(), which collects until mirrored().
///
/// How it works: the catalog decides which changes are taken, and when. RecordTable makes them, and keeps everything
/// that follows from the records. Each rule is a part of its own: validate.h (is the record good?), node_share.h (does
/// the node have room for it?), known_health.h (what does it say about the known endpoint?), held_changes.h (freeze)
/// and forget.h.
/// thread: control
class Catalog {
 public:
  /// The default length of the log, in changes. More than one agent may report at a time.
  static constexpr std::size_t kLogLength = 100000;

  /// log_length: the number of changes that changes_since() can return; a revision with more is not remembered
  explicit Catalog(std::size_t log_length = kLogLength) : table_(log_length) {}

  const model::Records& records() const { return table_.records(); }
  std::uint64_t revision() const { return table_.log().revision(); }
  /// Counts every revision and never goes back, while the revision of a replica may begin anew. Changes by
  /// set_local_override(), which belong to no revision, are not counted.
  std::uint64_t generation() const { return table_.log().generation(); }
  /// The generation in which a record of this type changed last; 0 = never.
  std::uint64_t generation_of(RecordType type) const { return table_.log().generation_of(type); }
  /// Returns when the last revision was made.
  TimePoint changed() const { return table_.log().changed(); }
  /// Returns the changes after `revision`, oldest first. Nothing if the log does not reach back to it; the caller then
  /// has to compare all records(). Costs by the number of changes returned.
  std::optional<std::vector<Change>> changes_since(std::uint64_t revision) const {
    return table_.log().since(revision);
  }
  /// Sets the observer that is called with every change while it happens; null = none. The observer must outlive the
  /// catalog or be removed.
  void observe(model::RecordObserver* observer) { table_.observe(observer); }

  /// Called with the type and key of each record while it changes. For callers that keep a list of changed keys and
  /// need no log. What the function refers to must outlive the catalog, or the function must be removed (empty).
  void set_noted(RecordTable::Noted noted) { table_.set_noted(std::move(noted)); }
  /// Sets the function that is called with the key of each endpoint that is erased, by whatever way; empty = none. It
  /// is also called for an endpoint that moves to another service and exists again afterwards.
  void set_erased(RecordTable::Erased erased) { table_.set_erased(std::move(erased)); }
  /// Sets the clock for Service::created. Without a clock, services get no age.
  void set_wall_clock(std::function<std::int64_t()> unix_seconds) { table_.set_wall_clock(std::move(unix_seconds)); }

  // ---- the zones' serial: a base at unix time plus the revision, so that it is equal wherever the revision is ----

  std::uint32_t serial() const { return serial_at(revision()); }
  std::uint32_t serial_at(std::uint64_t revision) const { return serial_base_ + static_cast<std::uint32_t>(revision); }
  /// Sets the serial of the present revision.
  void set_serial(std::uint32_t serial) { serial_base_ = serial - static_cast<std::uint32_t>(revision()); }
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
  std::size_t size() const { return table_.size(); }
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
  /// Replaces the addresses and prefixes of a known node. Says nothing about whether it was heard.
  void set_claims(const model::Node& node, TimePoint now);
  /// Takes a node's whole listing. Withdraws endpoints that are missing in it if their source is in `listed`. A serving
  /// endpoint stays while another one of its service on the node is not published yet (unpublished_services()), so that
  /// a replacement is answered before the replaced endpoint goes.
  /// mentioned: further keys that the node lists; their endpoints stay as they are
  /// returns:   the refused records
  std::vector<Refusal> apply_full(const std::string& node, const std::vector<model::Endpoint>& endpoints,
                                  const std::set<std::string>& listed, TimePoint now,
                                  std::set<std::string> mentioned = {});
  /// Takes changed and removed endpoints of a node. A refused endpoint keeps its last good version, with the reported
  /// health if both versions have the same addresses and ports. A removal of another node's endpoint is refused, too.
  /// returns: the refused records
  std::vector<Refusal> apply_delta(const std::string& node, const std::vector<model::Endpoint>& upserts,
                                   const std::vector<std::string>& removals, TimePoint now);
  /// Removes a node and its endpoints at once, because the node itself says that it goes.
  void withdraw(const std::string& node, TimePoint now);
  /// Marks endpoints that no agent checks. An agent that has a result for an endpoint clears its mark.
  void set_unwatched(const std::vector<std::string>& keys, TimePoint now);
  /// Sets the memberships of known endpoints; other keys are ignored. One revision, only of what changes.
  /// returns: the refused endpoints, which keep their memberships
  std::vector<Refusal> set_memberships(const std::vector<std::pair<std::string, model::Memberships>>& of_keys,
                                       TimePoint now);
  /// Sets a node's status; an empty status is erased.
  void set_status(const std::string& node, const model::NodeStatus& status, TimePoint now);

  /// Sets the measurements of a cluster's agents; an empty status is erased.
  void set_cluster_status(const std::string& cluster, const model::ClusterStatus& status, TimePoint now);
  /// Sets the addresses to which a hostname of external endpoints has resolved; a name without addresses is erased.
  /// requires: no address that check() refuses
  void set_external_name(const std::string& hostname, const model::ExternalName& name, TimePoint now);

  // ---- freeze: while an Override with that action exists, changes from agents and measurements are taken, but held
  // back. When the last such Override goes, they are applied in one revision. Nothing is forgotten meanwhile ----

  bool frozen() const { return table_.frozen(); }
  /// The number of changes that are held back.
  std::size_t held() const { return held_.size(); }
  /// Each returns the latest version of a record, held back or not; null = none.
  const model::Endpoint* latest_endpoint(const std::string& key) const {
    return held_.endpoints.latest(records().endpoints, key);
  }
  const model::NodeStatus* latest_status(const std::string& node) const {
    return held_.statuses.latest(records().statuses, node);
  }
  const model::Node* latest_node(const std::string& node) const { return held_.nodes.latest(records().nodes, node); }
  const model::ClusterStatus* latest_cluster_status(const std::string& cluster) const {
    return held_.cluster_statuses.latest(records().cluster_statuses, cluster);
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
  void unmirror(RecordType type, const std::string& key) { table_.remove(type, key); }
  /// Sets an override of this process alone, under a key that no origin uses. It belongs to no revision and is never
  /// among the changes.
  void set_local_override(const std::string& key, const model::Override& object) { table_.place_override(key, object); }
  void erase_local_override(const std::string& key) { table_.drop_override(key); }
  /// Makes everything that was mirrored since the last call one revision, with the origin's number.
  void mirrored(std::uint64_t revision, TimePoint now);

  // ---- time ----

  /// Forgets services without endpoints, and silent nodes, after `forget_after`. The last endpoint of a service stays,
  /// and with it its node. Costs by the number of silent nodes and of services without endpoints.
  /// may_forget: asked for each node before anything of it goes; empty = all may go
  Forgotten forget(Duration forget_after, TimePoint now, const MayForget& may_forget = {});

  /// The number of a node's endpoints.
  std::size_t endpoints_of(const std::string& node) const;

 private:
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
  /// Adds or replaces an endpoint, or holds the change back if the mesh is frozen.
  void put_endpoint(const model::Endpoint& endpoint, TimePoint now);
  /// Gives the kept version of a refused endpoint the reported health, if both have the same addresses and ports.
  /// returns: false = they do not, so nobody checks the kept version any more
  bool keep_watched(const model::Endpoint& refused, TimePoint now);
  /// Removes an endpoint, or holds the removal back if the mesh is frozen.
  void remove_endpoint(const std::string& key, TimePoint now);
  /// Sets a record (nothing = erases it), or holds the change back if the mesh is frozen. Does nothing if the record is
  /// equal already.
  template <class Kind, class Record>
  void change(Kind kind, const std::string& key, const std::optional<Record>& record, TimePoint now);
  template <class Kind, class Object>
  std::optional<Refusal> put_object(Kind kind, const std::string& key, const Object& object, TimePoint now);
  /// refusal: the result of the record's check()
  template <class Kind, class Record>
  std::optional<Refusal> mirror_checked(std::optional<Refusal> refusal, Kind kind, const std::string& key,
                                        const Record& record);
  /// Makes the changes since the last call one revision.
  void commit(TimePoint now);

  RecordTable table_;
  HeldChanges held_;
  std::size_t capacity_ = 0;
  Loopback loopback_ = Loopback::Refused;
  std::uint64_t refused_records_ = 0;
  bool full_ = false;
  std::uint32_t serial_base_ = 0;  // the serial of revision 0
};

}  // namespace meshdns::catalog
