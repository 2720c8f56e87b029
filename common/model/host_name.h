#pragma once

#include <string>
#include <string_view>

namespace meshdns::model {

/// Whether `text` is a host name: labels of letters, digits and hyphens with dots between them, at most 253 characters.
/// One dot at the end is allowed.
/// source: RFC 1123 2.1, RFC 1035 2.3.4
bool is_host_name(std::string_view text);

/// Whether `text` can be the name of a node: a host name without a dot at the end. A node name has no `/`, so that the
/// keys of one node ("cluster/node/...") never begin with the name of another node.
bool is_node_name(std::string_view text);
/// Whether `text` can be the key of a node: "cluster/name", where the cluster is one label.
bool is_node_key(std::string_view text);

/// Returns the form in which host names are kept and compared: lower case, no dot at the end.
std::string host_key(std::string_view name);

}  // namespace meshdns::model
