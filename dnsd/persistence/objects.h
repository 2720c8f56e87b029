#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "dnsd/catalog/catalog.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::persistence {

/// Keeps operators' objects in the form in which they were applied, checks changes to them, and puts the records that
/// follow from them into the catalog. Used by a federation, by a replica (for its federation's objects) and by
/// LocalOverrides. It writes nothing to disk: Persistence does.
/// thread: control
class Objects {
 public:
  /// The manager of objects that come from an endpoints file. They are never written to the store.
  static constexpr const char* kFileManager = "file";

  /// `catalog` must outlive the objects.
  /// origin: the name of the federation instance that owns the objects
  Objects(catalog::Catalog& catalog, std::string origin) : catalog_(catalog), origin_(std::move(origin)) {}

  /// The effect of a request that is checked and not committed yet.
  struct Change {
    std::vector<v1::Object> put;
    std::vector<std::string> erase;  // keys

    bool empty() const { return put.empty() && erase.empty(); }
  };

  /// Checks a request without changing anything. All or none: `change` stays empty if any object is refused, or if
  /// nothing would change.
  /// unix_seconds: for metadata.created
  v1::ApplyReply check(const v1::ApplyRequest& request, std::int64_t unix_seconds, Change& change) const;
  v1::DeleteReply check(const v1::DeleteRequest& request, Change& change) const;
  /// Checks an object of the Kubernetes API, and adds it to `change` unless it is unchanged. It replaces an object of
  /// any manager. An override whose time is over is refused, and ends. object: with metadata.created
  /// errors: InvalidArgument: the object is refused; PermissionDenied: its namespace may not have one of its hosts
  Result<void> check_adopted(v1::Object object, std::int64_t unix_seconds, Change& change) const;
  /// Applies a checked change to the objects and the catalog.
  /// returns: a message for each object that was left out because it is over, or is not valid any more
  std::vector<std::string> commit(const Change& change, TimePoint now);

  /// Takes over an object of a federation, whose record is in the catalog already.
  /// object: null = the object is deleted
  void mirror(const std::string& key, const v1::Object* object);

  /// Returns an object, or null if there is none.
  /// key: "namespace/name" of a virtual destination, or the name of a cluster or override
  const v1::Object* find(catalog::RecordType type, const std::string& key) const;
  /// Returns all objects by key: "VirtualDestination/shop/app-b".
  const std::map<std::string, v1::Object>& all() const { return objects_; }

 private:
  /// Returns the key of another object whose name differs only in the case of letters; empty = there is none.
  std::string twin_of(const std::string& key) const;
  v1::ApplyResult check_one(const v1::Object& object, const v1::ApplyRequest& request, std::int64_t unix_seconds) const;
  Result<void> put(v1::Object object, TimePoint now);
  void erase(const std::string& key, TimePoint now);
  /// Returns why an object may not claim its hosts (catalog::HostRights); empty = it may.
  std::string host_problem(const v1::Object& object) const;
  void keep(const std::string& key, v1::Object object);
  void drop(const std::string& key);

  catalog::Catalog& catalog_;
  std::string origin_;
  std::map<std::string, v1::Object> objects_;
  std::set<std::pair<std::string, std::string>> names_;  // each key in lower case, with the key as it is written
};

}  // namespace meshdns::persistence
