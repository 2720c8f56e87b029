#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/persistence/objects.h"
#include "dnsd/publish/publisher.h"
#include "dnsd/snapshot_file/snapshot_file.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Keeps the overrides that one replica obeys alone while its federation is lost (`meshdnsctl ... --local`).
///
/// How it works: local overrides are in a catalog of their own and in a file for the next start. A copy of each is in
/// the replica's catalog and objects, under a key that no federation uses, so that topology and listings see it among
/// the federation's overrides, and sets from the federation do not remove it. Local overrides are sent to nobody. They
/// end when their time is over, or when an operator deletes them.
/// thread: control
class LocalOverrides {
 public:
  static constexpr const char* kFile = "local-overrides";
  /// The prefix of their keys in the replica's catalog. Names of objects are DNS names, which have no colon: no other
  /// object can have such a key.
  static constexpr const char* kKeyPrefix = "local:";
  /// The duration of an override without an end, so that a forgotten one does not last.
  static constexpr Duration kLongestWithoutWord = 1h;

  struct Environment {
    const Clock& clock;
    catalog::Catalog& catalog;
    persistence::Objects& objects;
    publish::Publisher& publisher;
    std::string instance;  // "eu-1/host"
    std::string folder;    // of the file
  };

  explicit LocalOverrides(Environment environment);

  /// Restores the overrides of the file.
  void restore();
  /// Applies all overrides of a request or none, as Objects does. Refuses them all if the file cannot be written.
  v1::ApplyReply apply(v1::ApplyRequest request);
  /// Deletes overrides.
  /// errors: Unavailable: the file cannot be written
  Result<v1::DeleteReply> erase(const v1::DeleteRequest& request);
  /// Removes the overrides whose time is over.
  void expire();

  std::size_t size() const { return objects_.all().size(); }
  /// thread: any
  bool any() const { return any_; }
  /// Whether the file in `folder` holds overrides of an earlier run.
  static bool left_in(const std::string& folder);

 private:
  /// Writes the overrides to the file as they are after `change`.
  Result<void> keep(const persistence::Objects::Change& change) const;
  /// Applies a change in memory, and copies all local overrides to the replica's catalog and objects.
  void commit(const persistence::Objects::Change& change);

  Environment environment_;
  catalog::Catalog catalog_;  // of local overrides only
  persistence::Objects objects_;
  snapshot_file::SnapshotFile file_;
  std::set<std::string> shown_;  // keys in environment_.catalog
  std::atomic<bool> any_ = false;
};

}  // namespace meshdns::dnsd::app
