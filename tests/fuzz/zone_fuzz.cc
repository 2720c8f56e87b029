// A master file is read to its end: what is taken is whole and in our zones, and compiles.
#include <algorithm>
#include <string>

#include "dnsd/answers/zone_compiler.h"
#include "dnsd/answers/zone_parser.h"
#include "dnsd/wire/name.h"
#include "tests/fuzz/fuzz.h"

using meshdns::answers::StaticRecord;

namespace {

void check_record(const StaticRecord& record) {
  meshdns::wire::FoldedName name;
  MESHDNS_CHECK(meshdns::wire::read_plain_name(record.owner, 0, name) == record.owner.size());
  MESHDNS_CHECK(std::ranges::equal(name.view(), record.owner));
  MESHDNS_CHECK(record.ttl <= 0x7FFFFFFF);
  MESHDNS_CHECK(record.rdata.size() <= meshdns::wire::kMaxMessage);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  meshdns::answers::AnswerSettings settings;
  settings.zones = {{"mesh.internal", {}, ""}, {"10.in-addr.arpa", {}, ""}};
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto file = meshdns::answers::read_zone_file(text, {"mesh.internal", "10.in-addr.arpa"}, {});
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  for (const auto& bad : file.bad) MESHDNS_CHECK(bad.line >= 1 && bad.line <= lines && !bad.what.empty());
  for (const StaticRecord& record : file.records) check_record(record);
  meshdns::answers::Names names;
  meshdns::answers::compile_zones(settings, file.records, names);
  for (const StaticRecord& record : file.records) MESHDNS_CHECK(names.find_node(record.owner) != nullptr);
  return 0;
}
