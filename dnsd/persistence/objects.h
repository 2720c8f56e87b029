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

/// Operators' objects as they were applied; their meaning goes into the catalog.
/// thread: control
class Objects {
 public:
  /// The manager of the objects that an endpoints file has: they are in no store.
  static constexpr const char* kFileManager = "file";

  Objects(catalog::Catalog& catalog, std::string origin) : catalog_(catalog), origin_(std::move(origin)) {}

  /// What a request comes to, when it is checked and before it is true.
  struct Change {
    std::vector<v1::Object> put;
    std::vector<std::string> erase;  // keys

    bool empty() const { return put.empty() && erase.empty(); }
  };

  /// All or none: `change` stays empty if anything is refused, or nothing is to be done. unix_seconds: for
  /// metadata.created
  v1::ApplyReply check(const v1::ApplyRequest& request, std::int64_t unix_seconds, Change& change) const;
  v1::DeleteReply check(const v1::DeleteRequest& request, Change& change) const;
  /// Makes it true.
  /// returns: what of it means nothing (any more) and was left out
  std::vector<std::string> commit(const Change& change, TimePoint now);

  /// What a federation says of an object; its meaning is in the catalog already. null = it is gone
  void mirror(const std::string& key, const v1::Object* object);

  /// key: "namespace/name" of a virtual destination, or a cluster's name; null = there is none
  const v1::Object* find(catalog::RecordType type, const std::string& key) const;
  /// By "VirtualDestination/shop/app-b".
  const std::map<std::string, v1::Object>& all() const { return objects_; }

 private:
  v1::ApplyResult check_one(const v1::Object& object, const v1::ApplyRequest& request, std::int64_t unix_seconds) const;
  Result<void> put(v1::Object object, TimePoint now);
  void erase(const std::string& key, TimePoint now);
  void keep(const std::string& key, v1::Object object);
  void drop(const std::string& key);

  catalog::Catalog& catalog_;
  std::string origin_;
  std::map<std::string, v1::Object> objects_;
  std::set<std::pair<std::string, std::string>> names_;  // each key in lower case, and as it is
};

}  // namespace meshdns::persistence
