#pragma once

#include <cstdint>
#include <string>

#include "dnsd/ctl/table.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

// What people read. No line is longer than 110 columns but for texts that are longer themselves and
// for wide tables.

std::string status_view(const v1::StatusReply& reply);
/// What `status --check` complains of; empty = nothing.
std::string status_problem(const v1::StatusReply& reply);
/// What is listed, and how much of it.
struct Listed {
  std::string kind;  // as the federation calls it
  bool wide = false;
};
/// The rows of a listing. unix_seconds: now
Table list_table(const Listed& what, const v1::ListReply& reply, std::int64_t unix_seconds);
/// The same as text, with a note where the mesh is frozen; "no nodes" where there are none
std::string list_view(const Listed& what, const v1::ListReply& reply, std::int64_t unix_seconds);
/// Captured queries, a line each; the widths do not follow what comes.
std::string capture_title();
std::string capture_rows(const v1::CaptureReply& reply);

/// Everything about one thing.
std::string describe_node(const v1::NodeInfo& node);
std::string describe_endpoint(const v1::EndpointInfo& endpoint);
std::string describe_cluster(const v1::ClusterInfo& cluster);
/// The document, and what became of it.
std::string describe_object(const v1::Object& object);

}  // namespace meshdns::ctl
