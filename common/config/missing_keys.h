#pragma once

#include <google/protobuf/message.h>

#include "common/config/message_keys.h"
#include "common/config/place.h"

// The keys that a map leaves out. Used by MessageReader after it has read the map.
namespace meshdns::config {

/// Reports the required keys that a map does not give, and sets the defaults of the others. A required key that is
/// probably misspelt is not reported, because the unknown key was.
/// place: a map, or null, which counts as an empty map
/// seen:  the keys that the map gives
void fill_missing(const Place& place, const Seen& seen, google::protobuf::Message& out, KeyTable& table,
                  Report& report);

}  // namespace meshdns::config
