#include "common/convert/fields.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/convert/report_convert.h"

namespace meshdns::convert {

bool is_label_or_empty(const std::string& text) { return text.empty() || is_ldh_label(text); }

void check_locality(const model::Locality& locality, const std::string& field, FirstError& first) {
  for (const auto part : model::kParts) {
    first.expect(is_label_or_empty(locality.part(part)), fmt::format("{}.{}", field, model::part_name(part)),
                 "expected letters, digits and hyphens");
  }
}

Result<Duration> to_duration(const google::protobuf::Duration& from) {
  constexpr std::int64_t kLongestSeconds = 86400;
  if (from.seconds() < 0 || from.seconds() > kLongestSeconds || from.nanos() < 0 || from.nanos() > 999'999'999) {
    return Error(Code::InvalidArgument, "expected a duration between 0s and 1d");
  }
  return from_wire(from);
}

}  // namespace meshdns::convert
