// Odd and malformed packets over UDP: each row is one packet and what becomes of it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

using wire::Class;
using wire::Type;

const Bytes kWeb = question("web.shop.mesh.internal", Type::A);

Bytes plain_opt() { return hex("00 0029 04d0 00000000 0000"); }

std::string rcode_name(std::uint16_t rcode) {
  switch (rcode) {
    case 0: return "NOERROR";
    case 1: return "FORMERR";
    case 3: return "NXDOMAIN";
    case 4: return "NOTIMP";
    case 5: return "REFUSED";
    case 9: return "NOTAUTH";
    case 16: return "BADVERS";
    default: return "RCODE" + std::to_string(rcode);
  }
}

/// "NOERROR aa rd qd1 an2 ns0 ar0 opt"; "silence"
std::string outcome(const Bytes& raw) {
  if (raw.empty()) return "silence";
  const Reply reply = must(parse_reply(raw));
  std::string out = rcode_name(reply.rcode);
  if (reply.aa) out += " aa";
  if (reply.rd) out += " rd";
  if (reply.ra || reply.ad || reply.cd || reply.z || reply.tc) out += " a flag that is not ours to set";
  const auto count = [&](const char* name, const auto& section) {
    out += std::string(" ") + name + std::to_string(section.size());
  };
  count("qd", reply.question);
  count("an", reply.answer);
  count("ns", reply.authority);
  count("ar", reply.additional);
  if (!reply.edns) return out;
  out += reply.dnssec_ok ? " opt do" : " opt";
  if (reply.edns_version != 0 || reply.udp_size != 1232) out += " an OPT that is not ours";
  for (const ReplyOption& option : reply.options) out += " option" + std::to_string(option.code);
  return out;
}

struct Row {
  const char* what;
  Bytes packet;
  const char* expected;
};

class PacketTableTest : public testing::Test {
 protected:
  void expect(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.what);
      const Bytes reply = asker.raw(row.packet);
      EXPECT_EQ(outcome(reply), row.expected);
      if (!reply.empty()) expect_echo(row.packet, reply);
    }
  }

  /// Whatever is answered: id and opcode are the request's, QR is set, and a question comes back bit for bit.
  static void expect_echo(const Bytes& request, const Bytes& reply) {
    EXPECT_TRUE(std::equal(request.begin(), request.begin() + 2, reply.begin())) << "id";
    EXPECT_EQ(request[2] & 0x78, reply[2] & 0x78) << "opcode";
    EXPECT_NE(reply[2] & 0x80, 0) << "QR";
    if (reply[5] == 0) return;
    std::size_t end = 12;
    while (reply[end] != 0) end += reply[end] + 1U;
    EXPECT_TRUE(
        std::equal(request.begin() + 12, request.begin() + static_cast<std::ptrdiff_t>(end + 5), reply.begin() + 12))
        << "question";
  }

  static Bytes with_opt(const Bytes& opt, std::uint16_t additional = 1) {
    return header(1, 0, 1, 0, 0, additional) + kWeb + opt;
  }
  static Bytes of_class(Class qclass, const char* name = "mesh.internal", Type type = Type::SOA) {
    return header(1, 0, 1, 0, 0, 0) + question(name, type, qclass);
  }
  static Bytes of_type(Type type) { return header(1, 0, 1, 0, 0, 0) + question("mesh.internal", type); }
  static Bytes of_opcode(unsigned opcode) {
    return header(1, static_cast<std::uint16_t>(opcode << 11 | 0x07F0), 1, 0, 0, 0) +
           question("mesh.internal", Type::SOA);
  }

  Asker asker{standard_mesh().table()};
};

TEST_F(PacketTableTest, SilenceForWhatIsNoRequest) {
  expect({{"nothing", {}, "silence"},
          {"11 bytes", Bytes(11), "silence"},
          {"a response", header(1, 0x8000, 1, 0, 0, 0) + kWeb, "silence"},
          {"a response with junk", header(1, 0x8000, 1, 0, 0, 0) + hex("40"), "silence"}});
}

TEST_F(PacketTableTest, OneQuestionIsAsked) {
  expect({{"none", header(1, 0x0100, 0, 0, 0, 0), "FORMERR rd qd0 an0 ns0 ar0"},
          {"none, with OPT", header(1, 0, 0, 0, 0, 1) + plain_opt(), "FORMERR qd0 an0 ns0 ar0 opt"},
          {"two", header(1, 0, 2, 0, 0, 0) + kWeb + kWeb, "FORMERR qd0 an0 ns0 ar0"},
          {"one promised, none there", header(1, 0, 1, 0, 0, 0), "FORMERR qd0 an0 ns0 ar0"},
          {"no type and class", header(1, 0, 1, 0, 0, 0) + hex("0377656200"), "FORMERR qd0 an0 ns0 ar0"},
          {"half a class", header(1, 0, 1, 0, 0, 0) + hex("0377656200 0001 00"), "FORMERR qd0 an0 ns0 ar0"}});
}

TEST_F(PacketTableTest, BadNamesGetAHeaderOnly) {
  const Bytes head = header(1, 0, 1, 0, 0, 0);
  const char* formerr = "FORMERR qd0 an0 ns0 ar0";
  Bytes too_long;
  for (int i = 0; i < 128; ++i) too_long = too_long + hex("0161");
  expect({{"pointer to itself", head + hex("c00c 0001 0001"), formerr},
          {"pointer loop behind a label", head + hex("0161 c00c 0001 0001"), formerr},
          {"forward pointer", head + hex("c012 0001 0001 0000 00"), formerr},
          {"pointer into the header", head + hex("c000 0001 0001"), formerr},
          {"label type 0x40", head + hex("4161 00 0001 0001"), formerr},
          {"label type 0x80", head + hex("8161 00 0001 0001"), formerr},
          {"label past the end", head + hex("3f6161"), formerr},
          {"name without an end", head + hex("0161"), formerr},
          {"257 bytes of name", head + too_long + hex("00 0001 0001"), formerr}});
}

TEST_F(PacketTableTest, StrictBehindTheQuestion) {
  const char* formerr = "FORMERR qd1 an0 ns0 ar0";
  const char* with_opt_back = "FORMERR qd1 an0 ns0 ar0 opt";
  const Bytes a_record = hex("c00c 0001 0001 00000005 0004 0a000001");
  expect({{"junk", header(1, 0, 1, 0, 0, 0) + kWeb + hex("00"), formerr},
          {"junk behind OPT", with_opt(plain_opt() + hex("00")), with_opt_back},
          {"two OPT", with_opt(plain_opt() + plain_opt(), 2), with_opt_back},
          {"OPT as an answer", header(1, 0, 1, 1, 0, 0) + kWeb + plain_opt(), formerr},
          {"OPT in authority", header(1, 0, 1, 0, 1, 0) + kWeb + plain_opt(), formerr},
          {"OPT below a name", with_opt(hex("0161 00 0029 04d0 00000000 0000")), formerr},
          {"OPT below a pointer to the root", with_opt(hex("c023 0029 04d0 00000000 0000")), formerr},
          {"OPT longer than the packet", with_opt(hex("00 0029 04d0 00000000 0004")), formerr},
          {"OPT cut in its head", with_opt(hex("00 0029 04d0 00")), formerr},
          {"option longer than OPT", with_opt(hex("00 0029 04d0 00000000 0005 fde9 0002 be")), with_opt_back},
          {"option without a length", with_opt(hex("00 0029 04d0 00000000 0002 fde9")), with_opt_back},
          {"an answer in a query", header(1, 0, 1, 1, 0, 0) + kWeb + a_record, formerr},
          {"authority in a query", header(1, 0, 1, 0, 1, 0) + kWeb + a_record, formerr},
          {"more records promised", header(1, 0, 1, 0, 0, 9) + kWeb + plain_opt(), with_opt_back}});
}

TEST_F(PacketTableTest, ClassesOtherThanInAreRefused) {
  const char* refused = "REFUSED qd1 an0 ns0 ar0";
  expect({{"ANY", of_class(Class::ANY), refused},
          {"CH", of_class(Class::CH), refused},
          {"CH version.bind", of_class(Class::CH, "version.bind", Type::TXT), refused},
          {"NONE", of_class(Class::NONE), refused},
          {"class 0", of_class(Class{}), refused}});
}

TEST_F(PacketTableTest, OtherOpcodesAndOfTheFlagsOnlyRd) {
  const char* notimp = "NOTIMP rd qd1 an0 ns0 ar0";
  expect({{"IQUERY", of_opcode(1), notimp},
          {"STATUS", of_opcode(2), notimp},
          {"NOTIFY", of_opcode(4), "NOTAUTH rd qd1 an0 ns0 ar0"},
          {"UPDATE", of_opcode(5), notimp},
          {"DSO", header(1, 6 << 11, 0, 0, 0, 0), "NOTIMP qd0 an0 ns0 ar0"},
          {"opcode 15", of_opcode(15), notimp},
          {"UPDATE that cannot be read", header(1, 5 << 11, 1, 7, 7, 0) + hex("c00c"), "NOTIMP qd0 an0 ns0 ar0"}});
}

TEST_F(PacketTableTest, FlagsAreNotCopiedButRd) {
  expect({{"AA, TC, RA, Z, AD, CD", header(1, 0x06F0, 1, 0, 0, 0) + kWeb, "NOERROR aa qd1 an2 ns0 ar0"},
          {"the same and RD", header(1, 0x07F0, 1, 0, 0, 0) + kWeb, "NOERROR aa rd qd1 an2 ns0 ar0"},
          {"a request's rcode", header(1, 0x000F, 1, 0, 0, 0) + kWeb, "NOERROR aa qd1 an2 ns0 ar0"}});
}

TEST_F(PacketTableTest, Types) {
  const char* nodata = "NOERROR aa qd1 an0 ns1 ar0";
  expect({{"OPT", of_type(Type::OPT), "FORMERR qd1 an0 ns0 ar0"},
          {"0", of_type(Type{}), "FORMERR qd1 an0 ns0 ar0"},
          {"TYPE666", of_type(Type{666}), nodata},
          {"TYPE65535", of_type(Type{65535}), nodata},
          {"TYPE666 of a host", header(1, 0, 1, 0, 0, 0) + question("web.shop.mesh.internal", Type{666}), nodata},
          {"AXFR over UDP", of_type(Type::AXFR), "FORMERR qd1 an0 ns0 ar0"},
          {"IXFR", of_type(Type::IXFR), "REFUSED qd1 an0 ns0 ar0"},
          {"ANY of a host", header(1, 0, 1, 0, 0, 0) + question("web.shop.mesh.internal", Type::ANY),
           "NOERROR aa qd1 an1 ns0 ar0"}});
  asker.stream = true;
  expect({{"AXFR over TCP", of_type(Type::AXFR), "REFUSED qd1 an0 ns0 ar0"}});
}

TEST_F(PacketTableTest, IxfrCarriesItsSoaInAuthority) {
  const Bytes soa = hex("c00c 0006 0001 00000000 0016 00 00 00000001 00000000 00000000 00000000 00000000");
  expect({{"as RFC 1995 has it", header(1, 0, 1, 0, 1, 0) + question("mesh.internal", Type::IXFR) + soa,
           "REFUSED qd1 an0 ns0 ar0"}});
}

TEST_F(PacketTableTest, NamesOutsideAreRefusedAtOnce) {
  expect(
      {{"another zone", header(1, 0x0100, 1, 0, 0, 0) + question("example.com", Type::A), "REFUSED rd qd1 an0 ns0 ar0"},
       {"CoreDNS's health probe", header(1, 0, 1, 0, 0, 0) + question(".", Type::NS), "REFUSED qd1 an0 ns0 ar0"},
       {"the zone's parent", header(1, 0, 1, 0, 0, 0) + question("internal", Type::SOA), "REFUSED qd1 an0 ns0 ar0"},
       {"a name that only ends alike", header(1, 0, 1, 0, 0, 0) + question("xmesh.internal", Type::A),
        "REFUSED qd1 an0 ns0 ar0"},
       {"with EDNS: EDE 20", header(1, 0, 1, 0, 0, 1) + question("example.com", Type::A) + plain_opt(),
        "REFUSED qd1 an0 ns0 ar0 opt option15"}});
}

TEST_F(PacketTableTest, LongestNamesAreAnswered) {
  Bytes longest;  // 255 bytes: 63 + 63 + 63 + 47 and their length bytes, mesh.internal., the root
  for (const std::size_t size : {63U, 63U, 63U, 47U}) {
    longest.push_back(static_cast<std::uint8_t>(size));
    longest.insert(longest.end(), size, 'a');
  }
  longest = longest + hex("046d657368 08696e7465726e616c 00 0001 0001");
  ASSERT_EQ(longest.size(), 255U + 4);
  expect({{"255 bytes", header(1, 0, 1, 0, 0, 0) + longest, "NXDOMAIN aa qd1 an0 ns1 ar0"}});
}

}  // namespace
}  // namespace meshdns::test
