#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/result.h"

// Reads JSON of the Kubernetes API. Unknown members are ignored everywhere, as the API's conventions ask of clients.
namespace meshdns::kubernetes {

/// Returns the same text in the type that Boost.JSON takes.
inline boost::json::string_view json_view(std::string_view text) { return {text.data(), text.size()}; }

/// Parses a text that is one JSON object. The object and everything in it share one block of memory, which lives until
/// the last of them is destroyed.
/// errors: DataLoss: the text is something else
Result<boost::json::object> parse_object(std::string_view text);

// Each of these returns a member of an object by its name.

/// returns: null = there is no such member, or it is no object
const boost::json::object* object_in(const boost::json::object& object, std::string_view name);
/// returns: empty = there is no such member, or it is no string
std::string_view text_in(const boost::json::object& object, std::string_view name);
/// returns: nothing = there is no such member, or it is no whole number
std::optional<std::int64_t> number_in(const boost::json::object& object, std::string_view name);

/// Returns metadata.resourceVersion of an object or a list; empty = it has none.
std::string_view resource_version(const boost::json::object& object);

}  // namespace meshdns::kubernetes
