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
#include "dnsd/catalog/node_share.h"
#include "dnsd/catalog/record_kinds.h"

namespace meshdns::catalog {

/// The records, and what follows from them: the number of endpoints of each service, what each node uses of its share,
/// whether the mesh is frozen, and the log of changes. Every change of a record goes through this class, so that
/// observers hear of it. Used by Catalog, which decides what is changed. Pure.
///
/// No function commits: the caller ends a group of changes with log().commit().
/// thread: control
class RecordTable {
 public:
  /// Called with the type and key of each record while it changes.
  using Noted = std::function<void(RecordType, const std::string&)>;
  using Erased = std::function<void(const std::string& key)>;

  /// log_length: the length of the log of changes
  explicit RecordTable(std::size_t log_length) : log_(log_length) {}

  const model::Records& records() const { return records_; }
  ChangeLog& log() { return log_; }
  const ChangeLog& log() const { return log_; }
  /// The number of all records.
  std::size_t size() const;
  /// Returns what a node uses of its share.
  NodeUse use_of(const std::string& node) const { return uses_.of(node); }
  /// Returns whether an Override freezes the mesh.
  bool frozen() const { return frozen_; }

  // ---- who hears of changes: see Catalog ----

  void observe(model::RecordObserver* observer) { observer_ = observer; }
  void set_noted(Noted noted) { noted_ = std::move(noted); }
  void set_erased(Erased erased) { erased_ = std::move(erased); }
  void set_wall_clock(std::function<std::int64_t()> unix_seconds) { unix_seconds_ = std::move(unix_seconds); }

  // ---- records that change without effects on others ----

  template <class Kind, class Record>
  void put(Kind kind, const std::string& key, const Record& record) {
    (records_.*kind.kMember)[key] = record;
    note(kind.kType, key, false);
  }
  /// returns: false = there is none
  template <class Kind>
  bool erase(Kind kind, const std::string& key) {
    if ((records_.*kind.kMember).erase(key) == 0) return false;
    note(kind.kType, key, true);
    return true;
  }

  // ---- endpoints and their services ----

  /// Adds or replaces an endpoint. An endpoint that moves to another service is erased first.
  void put_endpoint(const model::Endpoint& endpoint, TimePoint now);
  /// Removes an endpoint; does nothing if there is none.
  void erase_endpoint(const std::string& key, TimePoint now);
  /// Adds or replaces an endpoint of another origin, which also says which services there are: no service becomes idle
  /// at a moment of ours.
  void mirror_endpoint(const model::Endpoint& endpoint);
  void mirror_service(const model::ServiceKey& service, std::int64_t created);
  /// Erases the services that have had no endpoint for `after`.
  /// returns: them
  std::vector<model::ServiceKey> erase_idle_services(Duration after, TimePoint now);

  // ---- overrides ----

  void put_override(const model::Override& object);
  /// returns: false = there is none
  bool erase_override(const std::string& name);
  /// Like put_override() and erase_override(), but the override belongs to no revision and is never among the changes.
  void place_override(const std::string& key, const model::Override& object);
  bool drop_override(const std::string& key);

  /// Removes a record of any type, and notes the removal even if there was none.
  void remove(RecordType type, const std::string& key);

 private:
  void note(RecordType type, const std::string& key, bool removed);
  /// Adds or replaces an endpoint's record; its service exists already.
  void store_endpoint(const model::Endpoint& endpoint);
  /// Counts an endpoint in each of its services, and makes the services that there are not.
  void add_to_services(const model::Endpoint& endpoint);
  void add_to_service(const model::ServiceKey& service);
  /// Counts an endpoint no longer in its services.
  /// now: when a service without endpoints became idle; nothing = its origin knows
  void leave_services(const model::Endpoint& endpoint, std::optional<TimePoint> now);

  model::Records records_;
  ChangeLog log_;
  model::SharedPool<model::Labels, model::SharedHash> labels_;  // of endpoints; many endpoints share the same labels
  model::SharedPool<model::Ports, model::SharedHash> ports_;
  model::SharedPool<model::Memberships, model::SharedHash> memberships_;
  std::set<model::ServiceKey> idle_services_;  // services that have no endpoint, or had none lately
  NodeUses uses_;
  bool frozen_ = false;
  model::RecordObserver* observer_ = nullptr;
  Noted noted_;
  Erased erased_;
  std::function<std::int64_t()> unix_seconds_;
  std::int64_t youngest_service_ = 0;  // the latest Service::created so far
};

}  // namespace meshdns::catalog
