#include "common/kubernetes/line_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshdns::kubernetes {
namespace {

using testing::ElementsAre;

/// The lines of a text that arrives in pieces of a size.
std::vector<std::string> lines(std::string_view text, std::size_t piece, LineSplitter& splitter) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    splitter.put(text.substr(at, piece));
    while (const auto line = splitter.next().value()) out.emplace_back(*line);
  }
  return out;
}

TEST(LineSplitter, the_pieces_do_not_matter) {
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U}) {
    LineSplitter splitter;
    EXPECT_THAT(lines("{\"a\":1}\n\n\r\n{}\nrest", piece, splitter), ElementsAre("{\"a\":1}", "{}")) << piece;
    EXPECT_EQ(splitter.pending(), 4U) << piece;
    EXPECT_THAT(lines(" of it\n", piece, splitter), ElementsAre("rest of it")) << piece;
    EXPECT_EQ(splitter.pending(), 0U) << piece;
  }
}

TEST(LineSplitter, a_line_has_a_bound) {
  for (const std::size_t piece : {1U, 5U, 100U}) {
    LineSplitter splitter(4);
    EXPECT_THAT(lines("1234\n12\n", piece, splitter), ElementsAre("1234", "12")) << piece;
  }
  LineSplitter complete(4);
  complete.put("12345\n");
  EXPECT_EQ(complete.next().error(), Error(Code::ResourceExhausted, "a line is longer than 4 bytes"));
  LineSplitter endless(4);
  endless.put("1234");
  EXPECT_EQ(endless.next().value(), std::nullopt);
  endless.put("5");
  EXPECT_EQ(endless.next().error().code(), Code::ResourceExhausted);
}

TEST(LineSplitter, a_long_line_in_small_pieces) {
  LineSplitter splitter;
  const std::string line(std::size_t{4} << 20, 'x');
  EXPECT_THAT(lines(line + "\nnext\n", 1000, splitter), ElementsAre(line, "next"));
}

}  // namespace
}  // namespace meshdns::kubernetes
