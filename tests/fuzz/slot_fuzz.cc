// The same packet gets the same answer whatever the memory held before: nothing of one client's request reaches
// another.
#include "tests/fuzz/fuzz.h"
#include "tests/support/mesh/slot.h"
#include "tests/support/mesh/small_mesh.h"

using meshdns::test::Slot;

namespace {

meshdns::query::Policy policy() {
  meshdns::query::Policy out;
  out.nsid = "n1";
  out.cookies = {{1, 2, 3}};
  return out;
}

Slot ask(const std::vector<std::uint8_t>& packet, std::uint8_t fill, bool stream) {
  static const auto table = meshdns::test::standard_mesh().table();
  static const meshdns::query::Policy asked = policy();
  static meshdns::query::Counters counters;
  meshdns::query::Random random(packet.size());
  const meshdns::query::Context context{.table = *table,
                                        .client = meshdns::IpAddress::v4(0x0A000009),
                                        .stream = stream,
                                        .now = meshdns::TimePoint{std::chrono::hours(1)},
                                        .random = random,
                                        .counters = counters,
                                        .policy = asked,
                                        .unix_seconds = 1559731985};
  Slot slot(fill);
  slot.answer(packet, stream ? meshdns::wire::kMaxMessage : meshdns::wire::kMaxUdpAnswer, context);
  return slot;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = meshdns::fuzz::exact(data, size);
  for (const bool stream : {false, true}) {
    if (size > (stream ? meshdns::wire::kMaxMessage : meshdns::wire::kMaxUdpAnswer)) continue;
    MESHDNS_CHECK(
        is_same(ask(packet, meshdns::test::kEmptySlot, stream), ask(packet, meshdns::test::kUsedSlot, stream)));
  }
  return 0;
}
