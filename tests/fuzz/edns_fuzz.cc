// Any option list behind a good question: the client subnet that is read can be written and read again.
#include <algorithm>

#include "dnsd/wire/byte_order.h"
#include "dnsd/wire/edns.h"
#include "dnsd/wire/message.h"
#include "tests/fuzz/fuzz.h"

namespace wire = meshdns::wire;

namespace {

// header with one question and one additional record; `a. A IN`; OPT up to its RDLENGTH
constexpr std::uint8_t kHead[] = {0, 1, 0, 0, 0, 1, 0, 0,  0, 0,    0, 1, 1, 'a',
                                  0, 0, 1, 0, 1, 0, 0, 41, 4, 0xD0, 0, 0, 0, 0};

std::vector<std::uint8_t> with_options(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> packet(std::begin(kHead), std::end(kHead));
  packet.push_back(static_cast<std::uint8_t>(size >> 8));
  packet.push_back(static_cast<std::uint8_t>(size));
  packet.insert(packet.end(), data, data + size);
  return packet;
}

void check_echo(const wire::Query& query) {
  const wire::EdnsReply reply{.subnet = &query.edns.subnet, .scope = 0};
  std::vector<std::uint8_t> out(wire::edns_size(reply));
  wire::Writer writer(out.data(), 0, out.size(), nullptr);
  wire::write_edns(writer, reply);
  MESHDNS_CHECK(!writer.failed() && writer.position() == out.size());
  const auto packet = with_options(out.data() + 11, out.size() - 11);
  wire::Query again;
  MESHDNS_CHECK(wire::read_query(packet, again) == wire::Reading::Ok);
  MESHDNS_CHECK(again.edns.subnet.present && again.edns.subnet.source == query.edns.subnet.source);
  MESHDNS_CHECK(std::ranges::equal(again.edns.subnet.address, query.edns.subnet.address));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  wire::Query query;
  const auto packet = with_options(data, size);
  const wire::Reading reading = wire::read_query(packet, query);
  MESHDNS_CHECK(reading == wire::Reading::Ok || reading == wire::Reading::Malformed);
  MESHDNS_CHECK(query.edns.present && query.edns.udp_size == 1232);
  if (reading == wire::Reading::Ok && query.edns.subnet.present) check_echo(query);
  return 0;
}
