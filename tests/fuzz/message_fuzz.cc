// A request is read within its bytes; what is called readable really stands there.
#include "dnsd/wire/byte_order.h"
#include "dnsd/wire/message.h"
#include "tests/fuzz/fuzz.h"

using meshdns::wire::Query;
using meshdns::wire::Reading;

namespace {

void check_question(const std::vector<std::uint8_t>& packet, const Query& query) {
  MESHDNS_CHECK(query.question_end <= packet.size());
  MESHDNS_CHECK(query.question_end == meshdns::wire::kHeaderSize + query.name.length + 4U);
  const std::uint8_t* tail = packet.data() + query.question_end - 4;
  MESHDNS_CHECK(meshdns::wire::load16(tail) == static_cast<std::uint16_t>(query.type));
  MESHDNS_CHECK(meshdns::wire::load16(tail + 2) == static_cast<std::uint16_t>(query.qclass));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > meshdns::wire::kMaxMessage) return 0;
  const auto packet = meshdns::fuzz::exact(data, size);
  Query query;
  const Reading reading = meshdns::wire::read_query(packet, query);
  MESHDNS_CHECK((reading == Reading::TooShort) == (size < meshdns::wire::kHeaderSize));
  if (reading == Reading::TooShort) return 0;
  MESHDNS_CHECK((reading == Reading::Response) == ((packet[2] & 0x80U) != 0));
  if (query.has_question()) check_question(packet, query);
  if (reading != Reading::Ok || query.opcode != meshdns::wire::Opcode::Query) return 0;
  MESHDNS_CHECK(query.has_question());
  // a readable packet with a byte more is not: nothing behind the last record is overlooked
  auto longer = packet;
  longer.push_back(0);
  Query other;
  if (longer.size() <= meshdns::wire::kMaxMessage) {
    MESHDNS_CHECK(meshdns::wire::read_query(longer, other) == Reading::Malformed);
  }
  return 0;
}
