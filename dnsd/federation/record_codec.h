#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/base/result.h"
#include "common/convert/record_convert.h"
#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"

// Bodies of records for Watch, snapshot and store, one pair of functions for each kind that is not an operator's
// object: encode() takes an entry of the member of model::Records, and decode() returns what put() gives to a catalog.
// The bodies of operators' objects are those that were applied (common/convert/object_convert.h).
namespace meshdns::federation {

/// The body of a record.
struct EncodedRecord {
  std::string body;
  std::optional<TimePoint> since{};  // when the state of the record began, on this process's clock; nothing = has none
};

/// A decoded record that does not hold its own key.
template <class Value>
struct Named {
  std::string key;
  Value value;
};

EncodedRecord encode(const std::string& key, const model::Node& record);
EncodedRecord encode(const std::string& key, const model::NodeStatus& record);
EncodedRecord encode(const std::string& key, const model::Endpoint& record);
EncodedRecord encode(const model::ServiceKey& key, const model::Service& record);
EncodedRecord encode(const std::string& key, const model::ClusterStatus& record);
EncodedRecord encode(const std::string& key, const model::ExternalName& record);

// since:  when the state of the record began, on this process's clock
// errors: InvalidArgument; the message begins with the field. Also where the body is of another record than `key`

Result<model::Node> decode(catalog::NodeKind kind, const std::string& key, std::string_view body, TimePoint since);
Result<Named<model::NodeStatus>> decode(catalog::NodeStatusKind kind, const std::string& key, std::string_view body,
                                        TimePoint since);
Result<model::Endpoint> decode(catalog::EndpointKind kind, const std::string& key, std::string_view body,
                               TimePoint since);
Result<convert::NamedService> decode(catalog::ServiceKind kind, const std::string& key, std::string_view body,
                                     TimePoint since);
Result<Named<model::ClusterStatus>> decode(catalog::ClusterStatusKind kind, const std::string& key,
                                           std::string_view body, TimePoint since);
Result<Named<model::ExternalName>> decode(catalog::ExternalNameKind kind, const std::string& key, std::string_view body,
                                          TimePoint since);

/// Puts a decoded record into a catalog, without a revision: catalog::Catalog::mirror().
template <class Record>
std::optional<catalog::Refusal> put(catalog::Catalog& catalog, const Record& record) {
  if constexpr (std::is_same_v<Record, convert::NamedService>) {
    return catalog.mirror(record.key, record.created, record.unexported);
  } else if constexpr (requires { record.value; }) {
    return catalog.mirror(record.key, record.value);
  } else {
    return catalog.mirror(record);
  }
}

/// Returns the body of a record of the catalog; nothing = it is not there, or it is an operator's object.
std::optional<EncodedRecord> encoded(const model::Records& records, catalog::RecordType type, const std::string& key);

}  // namespace meshdns::federation
