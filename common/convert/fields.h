#pragma once

#include <string>

#include "common/convert/first_error.h"
#include "common/model/locality.h"
#include "common/time/time.h"
#include "meshdns/v1/types.pb.h"

// Checks and readings of fields that the conversions of several kinds of object share.
namespace meshdns::convert {

bool is_label_or_empty(const std::string& text);

/// Reports the first part of the locality that is not a label.
/// field: the name of the field in the error: "spec.locality"
void check_locality(const model::Locality& locality, const std::string& field, FirstError& first);

/// Reads and checks a locality that is used as a selector.
template <class Message>
model::Locality to_selector_locality(const Message& from, const std::string& field, FirstError& first) {
  const model::Locality out{from.network(), from.region(), from.zone(), from.subzone(), from.cluster(), ""};
  check_locality(out, field, first);
  return out;
}

/// Converts a duration. The bounds are checked first, because a long duration would overflow nanoseconds.
/// errors: InvalidArgument: negative, or longer than a day
Result<Duration> to_duration(const google::protobuf::Duration& from);

}  // namespace meshdns::convert
