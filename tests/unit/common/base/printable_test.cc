#include "common/base/printable.h"

#include <gtest/gtest.h>

#include <iostream>
#include <sstream>

#include "common/base/output.h"

namespace meshdns {
namespace {

TEST(Printable, PlainTextStaysAsItIs) {
  for (const char* text :
       {"", "eu1-n1", "a b\\c\"d", "gr\xc3\xbc\xc3\x9f", "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x90\x9f"}) {
    EXPECT_EQ(printable(text), text);
    EXPECT_EQ(printable_length(text), std::string_view(text).size());
  }
}

TEST(Printable, WhatATerminalObeysIsEscaped) {
  EXPECT_EQ(printable("\x1b[2J"), "\\u001b[2J");
  EXPECT_EQ(printable("a\nb\tc\rd\be"), "a\\nb\\tc\\rd\\u0008e");
  EXPECT_EQ(printable(std::string("a\0b\x7f", 4)), "a\\u0000b\\u007f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "1A"),
            "\\u009b1A")
      << "C1 in UTF-8";
  EXPECT_EQ(printable("\xc2\x85"), "\\u0085") << "a line end of C1";
}

TEST(Printable, WhatShowsANameAsAnotherOneIsEscaped) {
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "gpj"),
            "\\u202egpj");
  EXPECT_EQ(printable("\xe2\x81\xa6"
                      "a\xe2\x81\xa9"),
            "\\u2066a\\u2069");
  EXPECT_EQ(printable("\xd8\x9c"), "\\u061c");
  EXPECT_EQ(printable("a\xe2\x80\x8b"
                      "b\xef\xbb\xbf"),
            "a\\u200bb\\ufeff");
  EXPECT_EQ(printable("\xe2\x80\xa8"), "\\u2028");
}

TEST(Printable, BytesThatAreNoUtf8AreEscapedOneByOne) {
  EXPECT_EQ(printable("\x9b"
                      "1A"),
            "\\x9b1A")
      << "C1 of an 8-bit terminal";
  EXPECT_EQ(printable("\xe2\x80"), "\\xe2\\x80");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "an overlong form";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half of a surrogate pair";
}

TEST(Printable, LinesStayLinesWhereThereMayBeMany) {
  EXPECT_EQ(printable("a\n\tb\r\n\x1b", Lines::Many), "a\n\tb\\r\n\\u001b");
}

TEST(Printable, WhatIsCleanStaysAsItIs) {
  const std::string clean = printable("a\n\x1b\x9b\xe2\x80\xae");
  EXPECT_EQ(printable(clean), clean);
}

/// What std::cout was given goes to a text, for as long as this lives.
class Captured {
 public:
  Captured() : out_(std::cout.rdbuf(text_.rdbuf())), err_(std::cerr.rdbuf(text_.rdbuf())) { clean_output(); }
  ~Captured() {
    std::cout.rdbuf(out_);
    std::cerr.rdbuf(err_);
  }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::streambuf* out_;
  std::streambuf* err_;
};

TEST(CleanOutput, BothStreamsAreCleanWhateverIsWritten) {
  Captured captured;
  std::cout << "name \x1b[31m" << 7 << "\n" << std::flush;
  std::cerr << "why \xe2\x80\xae\n";
  EXPECT_EQ(captured.text(), "name \\u001b[31m7\nwhy \\u202e\n");
}

TEST(CleanOutput, ACharacterMayComeInParts) {
  Captured captured;
  std::cout << "\xf0"
            << "\x9f\x90" << '\x9f' << "\xe2\x80"
            << "\xae" << std::flush;
  EXPECT_EQ(captured.text(), "\xf0\x9f\x90\x9f\\u202e");
  std::cout << "\xe2" << std::flush;
  EXPECT_EQ(captured.text(), "\xf0\x9f\x90\x9f\\u202e\\xe2") << "the rest never came";
}

}  // namespace
}  // namespace meshdns
