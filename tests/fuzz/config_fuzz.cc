// Any text as a config: it is read, or every problem has a place in it; objects that are read can be written and read.
#include <google/protobuf/util/message_differencer.h>
#include <algorithm>
#include <string>

#include "common/config/load.h"
#include "common/convert/document.h"
#include "tests/fuzz/fuzz.h"

namespace config = meshdns::config;

namespace {

template <class T>
void check_problems(const config::Loaded<T>& loaded, const std::string& text) {
  if (loaded) return;
  const auto lines = std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r') + 2;
  MESHDNS_CHECK(!loaded.error().empty());
  for (const auto& problem : loaded.error()) {
    MESHDNS_CHECK(problem.line >= 0 && problem.line <= lines && problem.column >= 0 && !problem.what.empty());
  }
}

void check_written(const meshdns::v1::Object& object) {
  meshdns::v1::Object expected = object;
  expected.clear_status();
  for (const auto& text : {meshdns::convert::Document(object).yaml(), meshdns::convert::Document(object).json()}) {
    const auto again = config::load_objects(text, "again");
    MESHDNS_CHECK(again && again->size() == 1);
    MESHDNS_CHECK(google::protobuf::util::MessageDifferencer::Equals(again->at(0), expected));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string text(data, data + size);
  check_problems(config::load_dnsd(text, "fuzz"), text);
  check_problems(config::load_agent(text, "fuzz"), text);
  check_problems(config::load_endpoints(text, "fuzz"), text);
  check_problems(config::load_mesh(text, "fuzz"), text);
  const auto objects = config::load_objects(text, "fuzz");
  check_problems(objects, text);
  if (objects) std::for_each(objects->begin(), objects->end(), check_written);
  return 0;
}
