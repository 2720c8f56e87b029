#pragma once

#include <cstdint>
#include <string>

#include "dnsd/ctl/table.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

// What people read. No line is longer than 110 columns but for texts that are longer themselves.

std::string status_view(const v1::StatusReply& reply);
/// The rows of a listing. kind: as the federation calls it; unix_seconds: now
Table list_table(const std::string& kind, const v1::ListReply& reply, std::int64_t unix_seconds);
/// The same as text; "no nodes" where there are none
std::string list_view(const std::string& kind, const v1::ListReply& reply, std::int64_t unix_seconds);
/// Captured queries, a line each; the widths do not follow what comes.
std::string capture_title();
std::string capture_rows(const v1::CaptureReply& reply);

/// Everything about one thing.
std::string describe_node(const v1::NodeInfo& node);
std::string describe_endpoint(const v1::EndpointInfo& endpoint);
/// The document, and what became of it.
std::string describe_object(const v1::Object& object);

}  // namespace meshdns::ctl
