#pragma once

#include <boost/json/object.hpp>

#include "tests/support/scenario/scenario.h"

namespace meshdns::test {

/// Returns a Pod object in the form in which the API server sends it: what is empty is left out or null. The options
/// are listed in pods_scenarios.cc.
boost::json::object pod_object(const std::string& name, const std::map<std::string, std::string>& options);

/// Returns a Node object, likewise.
boost::json::object node_object(const Command& command);

}  // namespace meshdns::test
