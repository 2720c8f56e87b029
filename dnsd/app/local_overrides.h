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

namespace meshdns::app {

/// Overrides that a replica obeys alone, for the time without its federation: they stand among the federation's in
/// catalog and objects, by keys that no federation uses, and in a file for the next start. Nobody is sent them, and
/// what the federation says does not take them away; they go when they are over, or are taken back.
/// thread: control
class LocalOverrides {
 public:
  static constexpr const char* kFile = "local-overrides";
  /// Of the keys that they have in the catalog. Objects are named by DNS names: no other one can have such a key.
  static constexpr const char* kKeyPrefix = "local:";
  /// Where no end is given: somebody has to come back to it.
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

  /// Takes what an earlier run left.
  void restore();
  /// All or none, as Objects; what is not kept in the file is refused.
  v1::ApplyReply apply(v1::ApplyRequest request);
  /// errors: Unavailable: they cannot be kept in the file
  Result<v1::DeleteReply> erase(const v1::DeleteRequest& request);
  /// Takes away what is over.
  void expire();

  std::size_t size() const { return objects_.all().size(); }
  /// thread: any
  bool any() const { return any_; }
  /// An earlier run has left some.
  static bool left_in(const std::string& folder);

 private:
  /// Writes what there is after a change.
  Result<void> keep(const persistence::Objects::Change& change) const;
  void commit(const persistence::Objects::Change& change);

  Environment environment_;
  catalog::Catalog catalog_;  // of these alone
  persistence::Objects objects_;
  snapshot_file::SnapshotFile file_;
  std::set<std::string> shown_;  // keys in environment_.catalog
  std::atomic<bool> any_ = false;
};

}  // namespace meshdns::app
