#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/model/endpoint.h"
#include "common/model/records.h"
#include "common/time/time.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::convert {

// Encodes and decodes the bodies of records that federations, replicas and stores exchange. Equal states have equal
// bytes, so that bodies can be compared by hash: maps are written in order, and the age of a state is not in the body
// but sent beside it (Record.in_state).

std::string endpoint_body(const model::Endpoint& endpoint);
std::string node_body(const model::Node& node);
std::string status_body(const model::NodeStatus& status);
/// created and unexported: those of the model::Service; created = 0: unknown
std::string service_body(const model::ServiceKey& service, std::int64_t created = 0, bool unexported = false);
std::string cluster_status_body(const model::ClusterStatus& status);
std::string external_name_body(const model::ExternalName& name);
/// Encodes an object without its revision, which is sent beside the body.
std::string object_body(const v1::Object& object);

/// Decodes an endpoint.
/// key:    the record's key: "cluster/node/<the agent's key>"
/// since:  when the state began, on this process's clock
/// errors: InvalidArgument, with a message that begins with the field
Result<model::Endpoint> endpoint_of(const std::string& key, std::string_view body, TimePoint since);
Result<model::Node> node_of(std::string_view body);
Result<model::NodeStatus> status_of(std::string_view body, TimePoint since);
/// A service, when the federation first heard of it, in unix milliseconds, and whether no cluster exports it.
struct NamedService {
  model::ServiceKey key;
  std::int64_t created = 0;
  bool unexported = false;

  friend bool operator==(const NamedService&, const NamedService&) = default;
};
Result<NamedService> service_of(std::string_view body);
Result<model::ClusterStatus> cluster_status_of(std::string_view body);
Result<model::ExternalName> external_name_of(std::string_view body);
Result<v1::Object> object_of(std::string_view body);

/// Returns the bucket of a record, from 0 to `count` - 1.
std::uint32_t bucket_of(std::string_view type, std::string_view key, std::uint32_t count);

}  // namespace meshdns::convert
