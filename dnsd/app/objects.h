#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "dnsd/catalog/catalog.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::app {

/// Operators' objects as they were applied; their meaning goes into the catalog.
/// thread: control
class Objects {
 public:
  Objects(catalog::Catalog& catalog, std::string origin) : catalog_(catalog), origin_(std::move(origin)) {}

  /// All or none. now: of the catalog; unix_seconds: for metadata.created
  v1::ApplyReply apply(const v1::ApplyRequest& request, TimePoint now, std::int64_t unix_seconds);
  v1::DeleteReply erase(const v1::DeleteRequest& request, TimePoint now);

  /// What a federation says of an object; its meaning is in the catalog already. null = it is gone
  void mirror(const std::string& key, const v1::Object* object);

  /// key: "namespace/name" of a virtual destination, or a cluster's name; null = there is none
  const v1::Object* find(catalog::RecordType type, const std::string& key) const;
  /// By "VirtualDestination/shop/app-b".
  const std::map<std::string, v1::Object>& all() const { return objects_; }

 private:
  v1::ApplyResult check(const v1::Object& object, const v1::ApplyRequest& request) const;
  void put(v1::Object object, TimePoint now);

  catalog::Catalog& catalog_;
  std::string origin_;
  std::map<std::string, v1::Object> objects_;
};

}  // namespace meshdns::app
