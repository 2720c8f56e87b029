#pragma once

#include <string>

#include "common/convert/first_error.h"
#include "common/model/locality.h"
#include "common/time/time.h"
#include "meshdns/v1/types.pb.h"

// What the conversions of several objects check and read in the same way.
namespace meshdns::convert {

bool is_label_or_empty(const std::string& text);

/// Notes the first part of it that is no label. field: "spec.locality"
void check_locality(const model::Locality& locality, const std::string& field, FirstError& first);

/// A locality in which the parts that are given must be equal; checked.
template <class Message>
model::Locality to_selector_locality(const Message& from, const std::string& field, FirstError& first) {
  const model::Locality out{from.network(), from.region(), from.zone(), from.subzone(), from.cluster(), ""};
  check_locality(out, field, first);
  return out;
}

/// Refuses what does not fit before it is counted in nanoseconds.
/// errors: InvalidArgument: negative, or longer than a day
Result<Duration> to_duration(const google::protobuf::Duration& from);

}  // namespace meshdns::convert
