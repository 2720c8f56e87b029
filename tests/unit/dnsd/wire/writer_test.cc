#include "dnsd/wire/writer.h"

#include <gtest/gtest.h>

#include "dnsd/wire/message.h"
#include "tests/support/dns/reply.h"
#include "tests/support/dns/request.h"

namespace meshdns::wire {
namespace {

using test::Bytes;
using test::Request;

std::vector<std::uint8_t> name(std::string_view text) { return *parse_name(text); }

std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// A reply under construction: the question of `request`, then what the test writes.
class Draft {
 public:
  explicit Draft(const Request& request, std::size_t limit = 4096) : buffer_(request.bytes()) {
    EXPECT_EQ(read_query(buffer_, query_), Reading::Ok);
    size_ = buffer_.size();
    buffer_.resize(65536, 0xEE);
    limit_ = limit;
    writer_.emplace(buffer_.data(), size_, limit, &query_.name);
  }
  Writer& writer() { return *writer_; }
  Bytes& buffer() { return buffer_; }
  std::size_t limit() const { return limit_; }

  test::Reply reply(std::uint8_t answers, std::uint8_t authority = 0, std::uint8_t additional = 0) {
    EXPECT_FALSE(writer_->failed());
    EXPECT_LE(writer_->position(), limit_);
    EXPECT_EQ(buffer_[limit_], 0xEE) << "wrote past its limit";
    buffer_[2] |= 0x80;
    buffer_[7] = answers;
    buffer_[9] = authority;
    buffer_[11] = additional;
    const auto parsed = test::parse_reply(std::span(buffer_).first(writer_->position()));
    EXPECT_TRUE(parsed) << parsed.error().message();
    return parsed ? *parsed : test::Reply{};
  }

 private:
  Bytes buffer_;
  Query query_;
  std::size_t size_ = 0;
  std::size_t limit_ = 0;
  std::optional<Writer> writer_;
};

using Lines = std::vector<std::string>;

TEST(Writer, AddressesAreTemplates) {
  Draft draft(Request{.name = "WWW.mesh"});
  const std::size_t before = draft.writer().position();
  draft.writer().a(kQuestionOffset, 5, Bytes{10, 0, 0, 1}.data());
  EXPECT_EQ(draft.writer().position() - before, 16U);
  draft.writer().aaaa(kQuestionOffset, 70000, test::hex("FD000000000000000000000000000001").data());
  const auto reply = draft.reply(2);
  EXPECT_EQ(reply.answer, (Lines{"WWW.mesh. 5 IN A 10.0.0.1", "WWW.mesh. 70000 IN AAAA fd00::1"}));
}

TEST(Writer, EveryKindOfRecord) {
  Draft draft(Request{.name = "x.mesh"});
  Writer& w = draft.writer();
  const auto ns = name("ns1.mesh"), contact = name("ops.example"), www = name("www.mesh"), other = name("a.other");
  w.soa(NameBytes(www), 60, {ns, contact, 7, 1, 2, 3, 4});
  w.one_name(NameBytes(www), Type::NS, 60, ns);
  w.one_name(kQuestionOffset, Type::CNAME, 60, other);
  EXPECT_GT(w.srv(kQuestionOffset, 60, {1, 100, 8080, www}), 0);
  w.txt(kQuestionOffset, 0, octets("01 hello"));
  w.txt(kQuestionOffset, 0, {});
  w.generic(kQuestionOffset, Type::MX, 60, test::hex("000A 01 61 00"));
  EXPECT_EQ(draft.reply(7).answer,
            (Lines{"www.mesh. 60 IN SOA ns1.mesh. ops.example. 7 1 2 3 4", "www.mesh. 60 IN NS ns1.mesh.",
                   "x.mesh. 60 IN CNAME a.other.", "x.mesh. 60 IN SRV 1 100 8080 www.mesh.",
                   "x.mesh. 0 IN TXT \"01 hello\"", "x.mesh. 0 IN TXT \"\"", "x.mesh. 60 IN MX 10 a."}));
}

TEST(Writer, NamesAreCompressedAgainstQuestionAndEarlierNames) {
  Draft draft(Request{.name = "a.Mesh.internal"});
  Writer& w = draft.writer();
  const auto size_of = [&](const std::vector<std::uint8_t>& n) {
    const std::size_t before = w.position();
    w.name(n);
    return w.position() - before;
  };
  const auto apex = name("mesh.internal"), b = name("b.mesh.internal"), cb = name("c.b.mesh.internal"),
             root = name("."), foreign = name("x.y"), below = name("z.x.y");
  EXPECT_EQ(size_of(apex), 2U);
  EXPECT_EQ(size_of(b), 4U);
  EXPECT_EQ(size_of(cb), 4U);
  EXPECT_EQ(size_of(cb), 2U);
  EXPECT_EQ(size_of(root), 1U);
  EXPECT_EQ(size_of(foreign), 5U);
  EXPECT_EQ(size_of(below), 4U);
  w.plain_name(cb);
}

TEST(Writer, SrvTargetsAreWholeAndOwnersPointAtThem) {
  Draft draft(Request{.name = "_http._tcp.a.mesh", .type = Type::SRV});
  Writer& w = draft.writer();
  const auto target = name("10-0-0-1.a.mesh");
  const std::size_t before = w.position();
  const std::uint16_t at = w.srv(kQuestionOffset, 5, {0, 100, 80, target});
  EXPECT_EQ(w.position() - before, 12 + 6 + target.size()) << "RFC 2782: no compression";
  w.a(at, 5, Bytes{10, 0, 0, 1}.data());
  const auto reply = draft.reply(1, 0, 1);
  EXPECT_EQ(reply.answer, Lines{"_http._tcp.a.mesh. 5 IN SRV 0 100 80 10-0-0-1.a.mesh."});
  EXPECT_EQ(reply.additional, Lines{"10-0-0-1.a.mesh. 5 IN A 10.0.0.1"});
}

/// What svcb() writes as rdata, in a reply that ldns reads
Bytes svcb_rdata(const SvcbFields& fields) {
  Draft draft(Request{.name = "a.mesh", .type = Type::SVCB});
  const std::size_t start = draft.writer().position() + 12;
  EXPECT_EQ(draft.writer().svcb(kQuestionOffset, Type::SVCB, 5, fields), start + 2) << "where the target stands";
  EXPECT_EQ(draft.reply(1).answer.size(), 1U);
  return {draft.buffer().begin() + static_cast<std::ptrdiff_t>(start),
          draft.buffer().begin() + static_cast<std::ptrdiff_t>(draft.writer().position())};
}

TEST(Writer, SvcbIsWhatTheTestVectorsOfRfc9460Say) {
  const auto foo = name("foo.example.com");
  const Bytes hints = test::hex("20010db8000000000000000000000001 20010db8000000000000000000530001");
  // D.2, figure 3: TargetName is "."
  EXPECT_EQ(svcb_rdata({.priority = 1, .target = name(".")}), test::hex("0001 00"));
  // D.2, figure 4: a port
  EXPECT_EQ(svcb_rdata({.priority = 16, .target = foo, .port = 53}),
            test::hex("0010 03666f6f076578616d706c6503636f6d00 0003 0002 0035"));
  // D.2, figure 7: two IPv6 hints
  EXPECT_EQ(svcb_rdata({.priority = 1, .target = foo, .ipv6hint = hints}),
            test::hex("0001 03666f6f076578616d706c6503636f6d00 0006 0020"
                      "20010db8000000000000000000000001 20010db8000000000000000000530001"));
}

TEST(Writer, SvcbKeysAscendAndTheTargetIsWhole) {
  Draft draft(Request{.name = "a.mesh", .type = Type::HTTPS});
  Writer& w = draft.writer();
  const auto target = name("10-0-0-1.a.mesh");
  const Bytes v4{10, 0, 0, 1};
  const Bytes v6 = test::hex("FD000000000000000000000000000001");
  const std::size_t before = w.position();
  const std::uint16_t at = w.svcb(kQuestionOffset, Type::HTTPS, 5, {2, target, 8443, v4, v6});
  EXPECT_EQ(w.position() - before, 12 + 2 + target.size() + 6 + 8 + 20) << "RFC 9460 2.2: no compression";
  w.a(at, 5, v4.data());
  const auto reply = draft.reply(1, 0, 1);
  EXPECT_EQ(reply.answer, Lines{"a.mesh. 5 IN HTTPS 2 10-0-0-1.a.mesh. port=8443 ipv4hint=10.0.0.1 ipv6hint=fd00::1"});
  EXPECT_EQ(reply.additional, Lines{"10-0-0-1.a.mesh. 5 IN A 10.0.0.1"});
}

TEST(Writer, LongTextIsCutIntoStrings) {
  Draft draft(Request{.name = "a", .type = Type::TXT});
  draft.writer().txt(kQuestionOffset, 0, octets(std::string(300, 'x')));
  EXPECT_EQ(draft.reply(1).answer,
            Lines{"a. 0 IN TXT \"" + std::string(255, 'x') + "\" \"" + std::string(45, 'x') + "\""});
}

TEST(Writer, WhatDoesNotFitFailsAndCanBeTakenBack) {
  const auto other = name("b.example");
  for (std::size_t limit = 19; limit < 120; ++limit) {  // 19 = header and question
    Draft draft(Request{.name = "a"}, limit);
    Writer& w = draft.writer();
    std::uint8_t fitted = 0;
    for (int i = 0; i < 3; ++i) {
      const std::size_t mark = w.position();
      w.one_name(kQuestionOffset, Type::NS, 60, other);
      if (w.failed()) {
        w.rollback(mark);
        break;
      }
      ++fitted;
    }
    EXPECT_EQ(draft.reply(fitted).answer.size(), fitted) << limit;
  }
}

TEST(Writer, NamesTakenBackAreNotPointedAt) {
  Draft draft(Request{.name = "a"});
  Writer& w = draft.writer();
  const auto other = name("b.example");
  const std::size_t mark = w.position();
  w.name(other);
  w.rollback(mark);
  w.one_name(kQuestionOffset, Type::NS, 60, other);
  EXPECT_EQ(draft.reply(1).answer, Lines{"a. 60 IN NS b.example."});
}

TEST(Writer, NamesBeyondTheReachOfAPointerAreWrittenWhole) {
  Draft draft(Request{.name = "a"}, 40000);
  Writer& w = draft.writer();
  const auto other = name("b.example");
  w.generic(kQuestionOffset, Type{65280}, 0, Bytes(17000, 7));
  w.one_name(kQuestionOffset, Type::NS, 60, other);
  w.one_name(kQuestionOffset, Type::NS, 61, other);
  EXPECT_EQ(draft.reply(3).answer[2], "a. 61 IN NS b.example.");
}

}  // namespace
}  // namespace meshdns::wire
