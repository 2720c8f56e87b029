#include "dnsd/wire/name.h"

#include <gtest/gtest.h>

#include "tests/support/dns/request.h"

namespace meshdns::wire {
namespace {

using test::operator+;
using test::Bytes;
using test::hex;

NameBytes view(const Bytes& bytes) { return {bytes.data(), bytes.size()}; }

TEST(Name, IsFoldedAndHashedWhileRead) {
  const Bytes message = hex("03 77 57 57 04 4D 65 73 68 00");  // wWW.Mesh
  FoldedName name;
  EXPECT_EQ(read_plain_name(message, 0, name), message.size());
  EXPECT_EQ(name_text(name.view()), "www.mesh.");
  EXPECT_EQ(name.labels, 2);
  EXPECT_EQ(name.length, 10);
  EXPECT_EQ(name.hash, hash_name(name.view()));
  EXPECT_EQ(name.hash, hash_name(*parse_name("WWW.mesh")));
  EXPECT_EQ(name_text(name.suffix(1)), "mesh.");
  EXPECT_EQ(name_text(name.suffix(2)), ".");
  EXPECT_EQ(hash_name(name.suffix(1)), hash_name(*parse_name("mesh.")));
  EXPECT_EQ(std::string(name.label(1).begin(), name.label(1).end()), "mesh");
}

TEST(Name, FoldsOnlyAsciiLetters) {
  Bytes message = {63};
  for (int c = 0x30; c < 0x30 + 63; ++c) message.push_back(static_cast<std::uint8_t>(c));
  message.push_back(4);
  for (const int c : {0xC1, 0xDA, 0xE1, 0xFF}) message.push_back(static_cast<std::uint8_t>(c));
  message.push_back(0);
  FoldedName name;
  ASSERT_EQ(read_plain_name(message, 0, name), message.size());
  for (std::size_t i = 0; i < message.size(); ++i) {
    const bool upper = message[i] >= 'A' && message[i] <= 'Z';
    EXPECT_EQ(name.bytes[i], upper ? message[i] + 0x20 : message[i]) << i;
  }
}

TEST(Name, LimitsAreThoseOfRfc1035) {
  Bytes longest;  // 3 x (1 + 63) + (1 + 61) + 1 = 255
  for (const std::size_t size : {63U, 63U, 63U, 61U}) {
    longest.push_back(static_cast<std::uint8_t>(size));
    longest.insert(longest.end(), size, 'a');
  }
  Bytes too_long = longest;
  longest.push_back(0);
  FoldedName name;
  EXPECT_EQ(read_plain_name(longest, 0, name), 255U);
  EXPECT_EQ(name.length, 255);
  too_long[192] = 62;
  too_long.push_back('a');
  too_long.push_back(0);
  EXPECT_EQ(read_plain_name(too_long, 0, name), 0U);
  EXPECT_EQ(skip_name(too_long, 0), 0U);
}

TEST(Name, MostLabels) {
  Bytes message;
  for (int i = 0; i < 127; ++i) message = message + Bytes{1, 'A'};
  message.push_back(0);
  FoldedName name;
  ASSERT_EQ(read_plain_name(message, 0, name), 255U);
  EXPECT_EQ(name.labels, 127);
  EXPECT_EQ(name.suffix(127).size(), 1U);
}

TEST(Name, PointersMustGoStrictlyBackwards) {
  FoldedName name;
  const Bytes good = hex("03 777777 00 01 61 C000");
  EXPECT_EQ(skip_name(hex("C000"), 0), 0U) << "to itself";
  EXPECT_EQ(skip_name(hex("C004 0000 00"), 0), 0U) << "forward";
  EXPECT_EQ(skip_name(hex("00 C0"), 1), 0U) << "cut";
  EXPECT_EQ(skip_name(good, 5), good.size());
  EXPECT_EQ(read_plain_name(good, 5, name), 0U) << "the first name has nothing to point at";
}

TEST(Name, OtherLabelTypesAndCutNamesAreMalformed) {
  FoldedName name;
  for (const auto* text : {"40 00", "80 00", "03 6161", "03 616161", "3F", ""}) {
    EXPECT_EQ(read_plain_name(hex(text), 0, name), 0U) << text;
    EXPECT_EQ(skip_name(hex(text), 0), 0U) << text;
  }
}

TEST(Name, BelowIsByWholeLabels) {
  const auto below = [](const char* name, const char* ancestor) {
    return is_at_or_below(*parse_name(name), *parse_name(ancestor));
  };
  EXPECT_TRUE(below("mesh", "mesh"));
  EXPECT_TRUE(below("a.mesh", "mesh"));
  EXPECT_TRUE(below("a.mesh", "."));
  EXPECT_FALSE(below("amesh", "mesh"));
  EXPECT_FALSE(below("mesh", "a.mesh"));
  // the bytes of ".mesh" inside one label are no label boundary
  EXPECT_FALSE(is_at_or_below(view(hex("06 78 04 6D657368 00")), *parse_name("mesh")));
}

TEST(Name, TextGoesBothWays) {
  for (const auto* text : {".", "a.", "_http._tcp.app-b.mesh.internal.", "a\\.b.c.", "\\000\\255.x.", "a\\\\b."}) {
    const auto name = parse_name(text);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(name_text(*name), text);
  }
  EXPECT_EQ(name_text(*parse_name("ABC")), "abc.");
}

TEST(Name, BadTextSaysWhy) {
  EXPECT_EQ(parse_name("").error().message(), "name \"\": empty");
  EXPECT_EQ(parse_name("a..b").error().message(), "name \"a..b\": an empty label");
  EXPECT_EQ(parse_name("a\\").error().message(), "name \"a\\\": a backslash at the end");
  EXPECT_EQ(parse_name("a\\25").error().message(), "name \"a\\25\": a backslash needs three digits");
  EXPECT_EQ(parse_name("a\\256").error().message(), "name \"a\\256\": an escape above \\255");
  EXPECT_FALSE(parse_name(std::string(64, 'a')));
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  EXPECT_TRUE(parse_name(longest));
  EXPECT_FALSE(parse_name(longest + "a"));
}

}  // namespace
}  // namespace meshdns::wire
