#pragma once

#include <string>
#include <string_view>

namespace meshdns::model {

/// Labels of letters, digits and hyphens with dots between, at most 253 characters; one dot at the end is allowed
/// (RFC 1123 2.1, RFC 1035 2.3.4).
bool is_host_name(std::string_view text);

/// The name of a node: a host name in which no dot ends it. It has no `/`, so that no node's name can begin another
/// node's keys.
bool is_node_name(std::string_view text);
/// "cluster/name", a label and a node's name.
bool is_node_key(std::string_view text);

/// The one form in which host names are kept and compared: lower case, no dot at the end.
std::string host_key(std::string_view name);

}  // namespace meshdns::model
