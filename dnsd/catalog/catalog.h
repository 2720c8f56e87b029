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
#include "dnsd/catalog/serial.h"
#include "dnsd/catalog/validate.h"

namespace meshdns::catalog {

enum class RecordType : std::uint8_t {
  Node,
  NodeStatus,
  Endpoint,
  Service,
  VirtualDestination,
  Cluster,
  ClusterStatus,
  ExternalName,
  Override,
};
inline constexpr std::size_t kRecordTypes = static_cast<std::size_t>(RecordType::Override) + 1;
/// Operators' objects, which are kept as they were applied besides.
bool is_object(RecordType type);
std::string_view record_type_name(RecordType type);
std::optional<RecordType> record_type_named(std::string_view name);
/// The key of a service's record: "namespace/name".
std::string service_key_text(const model::ServiceKey& key);
model::ServiceKey service_key_of(const std::string& text);

/// One record that became different or went away at a revision.
struct Change {
  std::uint64_t revision = 0;
  RecordType type{};
  std::string key;
  bool removed = false;

  friend bool operator==(const Change&, const Change&) = default;
};

/// The federation's state. Pure: `now` comes from outside, and every call that changes something is one revision.
class Catalog {
 public:
  /// How many changes are remembered by default: more than one agent may report at a time.
  static constexpr std::size_t kLogLength = 100000;

  /// log_length: for how many changes changes_since() can answer; a revision with more is not remembered
  explicit Catalog(std::size_t log_length = kLogLength) : log_length_(log_length) {}

  const model::Records& records() const { return records_; }
  std::uint64_t revision() const { return revision_; }
  /// Counts every change of the records, and never goes back: a replica's revision may begin anew, the generation
  /// does not. Changes by set_local_override(), which belong to no revision, are not counted.
  std::uint64_t generation() const { return generation_; }
  /// The generation that changed a record of this type last; 0 = none was ever changed.
  std::uint64_t generation_of(RecordType type) const { return touched_[static_cast<std::size_t>(type)]; }
  /// When the last revision came to be.
  TimePoint changed() const { return changed_; }
  /// Returns the changes after `revision`, oldest first; nothing if the log does not reach back so far, and then the
  /// caller has to compare with records() as a whole. Costs by the number of changes returned.
  std::optional<std::vector<Change>> changes_since(std::uint64_t revision) const;
  /// Who hears of every change while it happens; null = nobody. It outlives the catalog, or is taken back.
  void observe(model::RecordObserver* observer) { observer_ = observer; }

  /// Is called with type and name of each record that changes, while it changes, so that a list of what is yet to be
  /// done needs no log; empty = nobody is called. It must outlive the catalog, or be taken back.
  using Noted = std::function<void(RecordType, const std::string&)>;
  void set_noted(Noted noted) { noted_ = std::move(noted); }
  /// Is called with the key of each endpoint that goes, whoever takes it away; one that moves to another service is
  /// told too, and is there again afterwards. Empty = nobody is called.
  void set_erased(std::function<void(const std::string& key)> erased) { erased_ = std::move(erased); }
  /// Tells the unix time at which services are heard of first; without it they have no age.
  void set_wall_clock(std::function<std::int64_t()> unix_seconds) { unix_seconds_ = std::move(unix_seconds); }

  // ---- the zones' serial: the revision, begun at unix time, so that it is the same wherever the revision is ----

  std::uint32_t serial() const { return serial_at(revision_); }
  std::uint32_t serial_at(std::uint64_t revision) const { return serial_base_ + static_cast<std::uint32_t>(revision); }
  /// The serial of the revision that there is now.
  void set_serial(std::uint32_t serial) { serial_base_ = serial - static_cast<std::uint32_t>(revision_); }
  /// Makes it newer than one that somebody has seen.
  void pass_serial(std::uint32_t seen) {
    if (!is_newer_serial(serial(), seen)) set_serial(seen + 1);
  }

  // ---- bounds ----

  /// How many records it takes from agents and other origins; nodes always fit. 0 = any number
  void set_capacity(std::size_t records) { capacity_ = records; }
  /// Whether loopback addresses may be answered; refused unless it is said.
  void set_loopback(Loopback loopback) { loopback_ = loopback; }
  Loopback loopback() const { return loopback_; }
  /// How many records were refused, whichever way they came.
  std::uint64_t refused_records() const { return refused_records_; }
  std::size_t size() const;
  /// Whether one endpoint more, with its service, can be taken; those that wait for a thaw count.
  bool has_room() const { return room() > 0; }
  /// How many endpoints more can be taken, if each brings its service.
  std::size_t room() const;
  /// Something was refused for want of room, and there is not much room yet.
  bool full() const { return full_; }
  void note_refused_for_room() { full_ = true; }

  // ---- reports; keys of endpoints are "<node key>/<the agent's key>" ----

  // An endpoint whose key is not of the node that reports it is refused, as are those beyond the node's share
  // (kMostNodeEndpoints, kMostNodeBytes).

  /// Nothing = taken. A node that was silent is heard again; what its agent cannot do is still so.
  std::optional<Refusal> put_node(const model::Node& node, TimePoint now);
  /// The whole listing of a node. What is missing in it is withdrawn, if its source is in `listed`; but a serving
  /// endpoint stays while one of its service on the node is not published yet (unpublished_services()): what replaces
  /// is answered before what it replaces goes.
  std::vector<Refusal> apply_full(const std::string& node, const std::vector<model::Endpoint>& endpoints,
                                  const std::set<std::string>& listed, TimePoint now);
  /// What is refused keeps its last good version, with the health that was told now if that is of the same address. A
  /// removal of another node's endpoint is refused too.
  std::vector<Refusal> apply_delta(const std::string& node, const std::vector<model::Endpoint>& upserts,
                                   const std::vector<std::string>& removals, TimePoint now);
  /// The node's own word that it goes away: it and its endpoints are gone at once.
  void withdraw(const std::string& node, TimePoint now);
  /// Notes that nobody checks these endpoints. An agent that has a result of one clears it.
  void set_unwatched(const std::vector<std::string>& keys, TimePoint now);
  /// A status without anything to say is erased.
  void set_status(const std::string& node, const model::NodeStatus& status, TimePoint now);

  /// What the agents of a cluster have measured. One without anything to say is erased.
  void set_cluster_status(const std::string& cluster, const model::ClusterStatus& status, TimePoint now);
  /// What a hostname of external endpoints has resolved to. Without addresses it is erased.
  /// requires: no address that check() refuses
  void set_external_name(const std::string& hostname, const model::ExternalName& name, TimePoint now);

  // ---- freeze: while there is an Override of that action, what comes from agents and measurements is taken, but held
  // back; when the last one goes it is made true in one revision. Nothing is forgotten meanwhile ----

  bool frozen() const { return frozen_; }
  /// How many changes wait.
  std::size_t held() const { return held_.size(); }
  /// As they were told last, shown or held back; null = there is none.
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
  /// The keys of a node's endpoints, as they were told last.
  std::vector<std::string> keys_of(const std::string& node) const;
  /// The services of which a node has endpoints that were never published: they wait for their first success.
  std::set<model::ServiceKey> unpublished_services(const std::string& node) const;

  // ---- operators ----

  /// Nothing = taken.
  std::optional<Refusal> put_destination(const model::VirtualDestination& object, TimePoint now);
  std::optional<Refusal> put_cluster(const model::Cluster& object, TimePoint now);
  void put_override(const model::Override& object, TimePoint now);
  /// false = there is none
  bool erase_destination(const std::string& key, TimePoint now);
  bool erase_cluster(const std::string& name, TimePoint now);
  bool erase_override(const std::string& name, TimePoint now);

  // ---- another origin's records, as a replica gets them, or our own from the store. Nothing = taken; what is refused
  // changes nothing ----

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
  /// An override of this process alone, by a key that no origin's has: of no revision, never among the changes.
  void set_local_override(const std::string& key, const model::Override& object) { place_override(key, object); }
  void erase_local_override(const std::string& key) { drop_override(key); }
  /// What was mirrored since the last call is this revision of its origin.
  void mirrored(std::uint64_t revision, TimePoint now);

  // ---- time ----

  /// Whether a silent node may go, with so many endpoints.
  using MayForget = std::function<bool(const std::string& node, std::size_t endpoints)>;
  /// What forget() has taken away.
  struct Forgotten {
    struct OfNode {
      std::string node;
      std::size_t endpoints = 0;
      std::size_t kept = 0;  // the last ones of their services
      TimePoint since{};     // it was last heard
    };
    std::vector<OfNode> nodes;
    std::vector<model::ServiceKey> services;
  };
  /// Forgets services without endpoints, and silent nodes, after `forget_after`. The last endpoint of a service stays.
  /// Costs by the number of silent nodes and of services without endpoints.
  /// may_forget: asked for each node of which something would go; empty = all may
  Forgotten forget(Duration forget_after, TimePoint now, const MayForget& may_forget = {});

  /// How many endpoints a node has.
  std::size_t endpoints_of(const std::string& node) const;

 private:
  /// How much of its share a node has taken.
  struct NodeUse {
    std::size_t endpoints = 0;
    std::size_t bytes = 0;  // text_bytes() of all
  };
  /// Counts a refusal, if it is one.
  std::optional<Refusal> counted(std::optional<Refusal> refusal);
  /// Puts those that are good.
  std::vector<Refusal> put_endpoints(const std::string& node, const std::vector<model::Endpoint>& endpoints,
                                     TimePoint now);
  /// Why an endpoint of the node cannot be put; nothing = it can, and counts in `use`.
  std::optional<Refusal> refusal_of(const std::string& node, const model::Endpoint& endpoint, NodeUse& use,
                                    TimePoint now);
  /// What a node has now, what is held back included.
  NodeUse use_of(const std::string& node) const;
  void count_use(const model::Endpoint& endpoint, bool add);
  void put_endpoint(const model::Endpoint& endpoint, TimePoint now);
  /// Gives the kept version the health of a refused one, if both are of the same addresses and ports. False = nobody
  /// checks the kept version any more.
  bool keep_watched(const model::Endpoint& refused, TimePoint now);
  /// As it is, now.
  void write_endpoint(const model::Endpoint& endpoint, TimePoint now);
  /// Or later, if the mesh is frozen.
  void remove_endpoint(const std::string& key, TimePoint now);
  void erase_endpoint(const std::string& key, TimePoint now);
  /// Adds or replaces a record as it is.
  void store_endpoint(const model::Endpoint& endpoint);
  /// The records of one type that have no owner but the record itself.
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
  /// Makes it so, now; nothing = it goes. Without commit.
  template <class Record>
  void write(const Kind<Record>& kind, const std::string& key, const std::optional<Record>& record);
  /// The same, or later if the mesh is frozen; what is so already is no change.
  template <class Record>
  void change(const Kind<Record>& kind, const std::string& key, const std::optional<Record>& record, TimePoint now);
  /// Makes true what was held back, but for what still holds it. Without commit.
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
  /// Gives what was noted since the last call its revision.
  void commit(TimePoint now);
  /// Nothing = it stays as it is.
  std::optional<Forgotten::OfNode> forget_node(const std::string& node, TimePoint now, const MayForget& may_forget);

  model::Records records_;
  model::SharedPool<model::Labels, model::SharedHash> labels_;  // of endpoints: many have the same
  model::SharedPool<model::Ports, model::SharedHash> ports_;
  std::set<model::ServiceKey> idle_services_;  // those that have, or had lately, no endpoint
  HeldChanges held_;
  bool frozen_ = false;
  std::size_t capacity_ = 0;
  Loopback loopback_ = Loopback::Refused;
  std::uint64_t refused_records_ = 0;
  std::unordered_map<std::string, NodeUse> uses_;  // by node, of the endpoints that are shown
  bool full_ = false;
  std::uint64_t revision_ = 0;
  std::uint32_t serial_base_ = 0;  // of revision 0
  TimePoint changed_{};
  std::uint64_t generation_ = 0;
  std::array<std::uint64_t, kRecordTypes> touched_{};  // by type: generation_of()
  std::vector<Change> pending_;                        // of the next revision, as far as the log can take them
  bool pending_overflow_ = false;                      // it could not take all
  std::array<bool, kRecordTypes> pending_types_{};
  std::size_t log_length_;
  std::deque<Change> log_;
  std::uint64_t log_begins_after_ = 0;
  model::RecordObserver* observer_ = nullptr;
  Noted noted_;
  std::function<void(const std::string& key)> erased_;
  std::function<std::int64_t()> unix_seconds_;
  std::int64_t youngest_service_ = 0;  // the latest Service::created
};

}  // namespace meshdns::catalog
