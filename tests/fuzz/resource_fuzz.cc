// Any object of the Kubernetes API as a VirtualDestination, a MeshCluster, an Override and a Lease: it is refused, or
// what is read can be written and read again.
#include <google/protobuf/util/message_differencer.h>
#include <string_view>

#include "common/config/load.h"
#include "common/convert/document.h"
#include "common/kubernetes/json_text.h"
#include "dnsd/lease/lease_record.h"
#include "dnsd/resources/resource.h"
#include "tests/fuzz/fuzz.h"

namespace {

void read_back(const meshdns::v1::Object& object) {
  const auto again = meshdns::config::load_objects(meshdns::convert::Document(object).json(), "again");
  MESHDNS_CHECK(again && again->size() == 1);
  MESHDNS_CHECK(google::protobuf::util::MessageDifferencer::Equals(again->at(0), object));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = meshdns::kubernetes::parse_object(text);
  if (!json) return 0;
  for (const auto& kind : meshdns::resources::kKinds) {
    const auto resource = meshdns::resources::read_resource(kind, *json);
    MESHDNS_CHECK(resource || !resource.error().message().empty());
    if (!resource) continue;
    const auto object = meshdns::resources::read_object(*resource);
    MESHDNS_CHECK(object || !object.error().message().empty());
    if (object) read_back(*object);
  }
  const auto lease = meshdns::lease::parse_lease(*json);
  if (!lease) return 0;
  const auto written =
      meshdns::kubernetes::parse_object(meshdns::lease::lease_text(*lease, "meshdns", "meshdnsd", *json));
  MESHDNS_CHECK(written && meshdns::lease::parse_lease(*written).value() == *lease);
  return 0;
}
