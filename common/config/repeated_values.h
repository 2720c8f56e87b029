#pragma once

#include <google/protobuf/message.h>

#include "common/config/message_keys.h"
#include "common/config/place.h"

// The checks of MessageReader for what is given twice. Each one reports to `report`.
namespace meshdns::config {

/// Checks that a list of texts has no value twice.
/// message: has the list's values in `field`
void check_unique(const Place& list, const google::protobuf::FieldDescriptor& field,
                  const google::protobuf::Message& message, Report& report);

/// Checks that no two elements of a list have the same key, the field that Rules.key names. A list of several elements
/// also needs the key in each of them.
/// message: has the list's elements in `field`
void check_element_keys(const Place& list, const google::protobuf::FieldDescriptor& field,
                        const google::protobuf::Message& message, Report& report);

/// Checks that at most one field of each oneof is given.
/// keys: those of the map's message type
void check_oneofs(const Place& map, const Keys& keys, const Seen& seen, Report& report);

}  // namespace meshdns::config
