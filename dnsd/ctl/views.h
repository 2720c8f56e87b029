#pragma once

#include <cstdint>
#include <string>

#include "common/base/table.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

// Text for people. No line is longer than 110 columns, except for single texts that are longer and for wide tables.

std::string status_view(const v1::StatusReply& reply);
/// Returns the problem that `status --check` reports; empty = none.
std::string status_problem(const v1::StatusReply& reply);
/// The kind of a listing, and whether it has all columns.
struct Listed {
  std::string kind;  // as the federation calls it
  bool wide = false;
};
/// Returns the rows of a listing.
/// unix_seconds: now
Table list_table(const Listed& what, const v1::ListReply& reply, std::int64_t unix_seconds);
/// Returns a listing as text, with a note if the mesh is frozen; "no nodes" if there are none.
std::string list_view(const Listed& what, const v1::ListReply& reply, std::int64_t unix_seconds);
/// Each returns captured queries, a line each. The widths are fixed, because the rows come one by one.
std::string capture_title();
std::string capture_rows(const v1::CaptureReply& reply);

/// Each returns everything about one thing.
std::string describe_node(const v1::NodeInfo& node);
std::string describe_endpoint(const v1::EndpointInfo& endpoint);
std::string describe_cluster(const v1::ClusterInfo& cluster);
/// Returns an object's document, and its status.
std::string describe_object(const v1::Object& object);

}  // namespace meshdns::ctl
