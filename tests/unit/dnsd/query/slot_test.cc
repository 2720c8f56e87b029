// Nothing of one client's request reaches another by the memory that they use one after the other.
#include "tests/support/mesh/slot.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

namespace fs = std::filesystem;

using wire::Option;
using wire::Type;

constexpr std::uint16_t kCookie = 10;
constexpr std::uint16_t kUpdate = 0x2800;

Bytes read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The bytes as options of a question
Bytes as_options(const Bytes& options) {
  EdnsRequest edns;
  edns.options = options;
  return Request{.name = "web.shop.mesh.internal", .edns = edns}.bytes();
}

class SlotTest : public testing::Test {
 protected:
  SlotTest() {
    policy_.nsid = "n1";
    policy_.cookies = {{1, 2, 3}};
  }

  /// The answer in `slot`, which keeps what it held before.
  void answer(Slot& slot, const Bytes& packet, bool stream = false) {
    query::Random random(1);
    slot.answer(packet, stream ? wire::kMaxMessage : wire::kMaxUdpAnswer,
                {.table = *table_,
                 .client = IpAddress::v4(0x0A000009),
                 .stream = stream,
                 .now = TimePoint{1h},
                 .random = random,
                 .counters = counters_,
                 .policy = policy_,
                 .unix_seconds = 1559731985});
  }
  bool is_same_in_any_slot(const Bytes& packet, bool stream) {
    Slot empty(kEmptySlot);
    Slot used(kUsedSlot);
    answer(empty, packet, stream);
    answer(used, packet, stream);
    return is_same(empty, used);
  }

  std::shared_ptr<const answers::AnswerTable> table_ = standard_mesh().table();
  query::Policy policy_;
  query::Counters counters_;
};

// An UPDATE whose COOKIE option has a length that no cookie has was answered with the cookie of the client before it.
TEST_F(SlotTest, AMalformedCookieIsNotAnsweredWithAStrangers) {
  const Bytes strangers = hex("5afe5afe5afe5afe");
  const EdnsRequest good = EdnsRequest{}.option(kCookie, strangers);
  const EdnsRequest bad = EdnsRequest{}.option(kCookie, hex("010203"));
  Slot slot(kEmptySlot);
  answer(slot, Request{.name = "web.shop.mesh.internal", .edns = good}.bytes());
  ASSERT_TRUE(must(parse_reply(slot.bytes)).option(Option::Cookie).has_value());
  answer(slot, Request{.name = "a", .flags = kUpdate, .edns = bad}.bytes());
  const Reply reply = must(parse_reply(slot.bytes));
  EXPECT_EQ(reply.rcode, static_cast<std::uint16_t>(wire::Rcode::NotImp));
  EXPECT_FALSE(reply.option(Option::Cookie).has_value());
  EXPECT_TRUE(std::ranges::search(slot.bytes, strangers).empty());
}

// A request of which nothing could be read leaves nothing of the one before for who looks at it later (`meshdnsctl
// capture`).
TEST_F(SlotTest, AQueryStartsClean) {
  Slot slot(kEmptySlot);
  answer(slot, Request{.name = "web.shop.mesh.internal", .type = Type::SRV, .edns = EdnsRequest{}.subnet("10.1.2.0/24")}
                   .bytes());
  answer(slot, header(1, 0x2000, 0, 0, 0, 0));
  EXPECT_EQ(slot.query.type, Type{});
  EXPECT_EQ(slot.query.name.view().size(), 0U);
  EXPECT_EQ(slot.query.name.labels, 0);
  EXPECT_EQ(slot.query.edns.subnet.source, 0);
  EXPECT_EQ(slot.query.edns.udp_size, 0);
}

// The packets of all fuzz targets, as they are and as options of a question, with every opcode.
TEST_F(SlotTest, AnswersDoNotDependOnWhatTheMemoryHeld) {
  std::size_t asked = 0;
  for (const auto& entry : fs::recursive_directory_iterator("tests/fuzz/corpus")) {
    if (!entry.is_regular_file()) continue;
    const Bytes bytes = read_file(entry.path());
    for (Bytes packet : {bytes, as_options(bytes)}) {
      if (packet.size() < wire::kHeaderSize || packet.size() > wire::kMaxUdpAnswer) continue;
      for (unsigned opcode = 0; opcode < 16; ++opcode) {
        packet[2] = static_cast<std::uint8_t>((packet[2] & 0x87U) | opcode << 3);
        for (const bool stream : {false, true}) {
          ASSERT_TRUE(is_same_in_any_slot(packet, stream)) << entry.path() << ", opcode " << opcode;
          ++asked;
        }
      }
    }
  }
  EXPECT_GT(asked, 1000U);
}

}  // namespace
}  // namespace meshdns::test
