#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "dnsd/app/event_log.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/record_source.h"
#include "dnsd/persistence/objects.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Applies the changes of operators where objects have their origin: in a federation, or beside an endpoints file.
/// Refuses local overrides, which only a replica can have.
///
/// How it works: a change is checked, stored, and committed to memory when it is stored. Storing takes time, so the
/// changes wait for each other in `operations_`: each is checked against the result of the one before.
/// thread: control
class ObjectChanges {
 public:
  /// All references must outlive the object.
  struct Environment {
    const MeshState& mesh;
    EventLog& events;
    /// Stores a checked change, commits it to memory, and calls the function, now or later.
    std::function<void(persistence::Objects::Change, std::function<void(Result<void>)>)> store;
    /// Erases objects from the store that have expired and are gone from memory already.
    std::function<void(std::vector<std::string>)> erase_expired;
    /// Deletes nodes instead of objects: some keys of the request name nodes.
    std::function<Result<v1::DeleteReply>(const v1::DeleteRequest&)> forget_nodes;
    /// Whether objects are in the Kubernetes API, so that only kubectl changes them.
    bool by_kubectl = false;
    std::function<void()> records_changed;  // informs everybody whom a change of the catalog concerns
  };

  static constexpr const char* kNodeKind = "Node/";
  /// Whether a key of a request names a node instead of an object.
  static bool names_node(const std::string& key) { return key.starts_with(kNodeKind); }

  explicit ObjectChanges(Environment environment) : env_(std::move(environment)) {}
  ObjectChanges(const ObjectChanges&) = delete;
  ObjectChanges& operator=(const ObjectChanges&) = delete;

  void apply(const v1::ApplyRequest& request, RecordSource::Applied done);
  void erase(const v1::DeleteRequest& request, RecordSource::Erased done);
  /// Ends the overrides whose time is over, and deletes them.
  void expire_overrides();
  /// Writes the number of changes that a freeze holds: they are held where objects have their origin.
  void write(v1::StatusReply& out) const;

 private:
  /// Runs `operation` when all earlier ones are over. The operation calls turn_over() at its end.
  void in_turn(std::function<void()> operation);
  void turn_over();
  /// Checks a request without changing anything; `change` is what to store.
  v1::ApplyReply check(const v1::ApplyRequest& request, persistence::Objects::Change& change);
  void store(persistence::Objects::Change change, std::function<void(Result<void>)> done);
  void changed();

  Environment env_;
  std::deque<std::function<void()>> operations_;  // the first one is under way
};

}  // namespace meshdns::dnsd::app
