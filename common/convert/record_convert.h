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

// Bodies of the records that federations, replicas and stores exchange. The same state has the same bytes: maps are
// written in order, and how long a state has lasted travels beside the body.

std::string endpoint_body(const model::Endpoint& endpoint);
std::string node_body(const model::Node& node);
std::string status_body(const model::NodeStatus& status);
std::string service_body(const model::ServiceKey& service, std::int64_t created = 0);
std::string cluster_status_body(const model::ClusterStatus& status);
std::string external_name_body(const model::ExternalName& name);
/// Without the revision, which is the record's.
std::string object_body(const v1::Object& object);

/// errors: InvalidArgument; the message begins with the field
/// key:    the record's, "cluster/node/<the agent's key>"; since: when the state began, on this process's clock
Result<model::Endpoint> endpoint_of(const std::string& key, std::string_view body, TimePoint since);
Result<model::Node> node_of(std::string_view body);
Result<model::NodeStatus> status_of(std::string_view body, TimePoint since);
/// A service and when the federation first heard of it.
struct NamedService {
  model::ServiceKey key;
  std::int64_t created = 0;

  friend bool operator==(const NamedService&, const NamedService&) = default;
};
Result<NamedService> service_of(std::string_view body);
Result<model::ClusterStatus> cluster_status_of(std::string_view body);
Result<model::ExternalName> external_name_of(std::string_view body);
Result<v1::Object> object_of(std::string_view body);

/// Which of `count` buckets a record belongs to.
std::uint32_t bucket_of(std::string_view type, std::string_view key, std::uint32_t count);

}  // namespace meshdns::convert
