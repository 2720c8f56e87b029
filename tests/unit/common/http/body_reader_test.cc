#include "common/http/body_reader.h"

#include <gtest/gtest.h>

namespace meshdns::http {
namespace {

struct Read {
  BodyReader::State state;
  std::string body;
  BodyReader::State at_end;

  friend bool operator==(const Read&, const Read&) = default;
};

constexpr std::size_t kMost = 100;  // bytes of a body that are kept

/// Byte by byte, as a slow network would bring it, and at once.
Read read(const std::string& headers, const std::string& data, bool head_only = false) {
  BodyReader reader(read_head("HTTP/1.1 200 OK\r\n" + headers + "\r\n").value(), head_only, kMost);
  std::size_t taken = 0;
  while (taken < data.size() && reader.take(std::string_view(data).substr(taken, 1)) == 1) ++taken;
  BodyReader whole(read_head("HTTP/1.1 200 OK\r\n" + headers + "\r\n").value(), head_only, kMost);
  EXPECT_EQ(whole.take(data), taken) << "at once";
  EXPECT_EQ(whole.body(), reader.body());
  EXPECT_EQ(whole.state(), reader.state());
  return {reader.state(), reader.body(), reader.at_end()};
}

TEST(BodyReader, knows_where_the_body_ends) {
  using enum BodyReader::State;
  EXPECT_EQ(read("Content-Length: 5\r\n", "hello, more"), (Read{Complete, "hello", Complete}));
  EXPECT_EQ(read("Content-Length: 0\r\n", ""), (Read{Complete, "", Complete}));
  EXPECT_EQ(read("Content-Length: 5\r\n", "hel"), (Read{NeedsMore, "hel", Wrong}));
  EXPECT_EQ(read("", "hello"), (Read{NeedsMore, "hello", Complete}));
  EXPECT_EQ(read("Content-Length: 5\r\n", "", true), (Read{Complete, "", Complete})) << "HEAD";
}

TEST(BodyReader, puts_chunks_together) {
  using enum BodyReader::State;
  EXPECT_EQ(read("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nT: r\r\n\r\n"),
            (Read{Complete, "hello0123456789", Complete}));
  EXPECT_EQ(read("Transfer-Encoding: gzip, Chunked\r\n", "1\nx\n0\n\n"), (Read{Complete, "x", Complete})) << "bare LF";
  EXPECT_EQ(read("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), (Read{Complete, "", Complete}));
}

TEST(BodyReader, says_what_is_wrong) {
  using enum BodyReader::State;
  EXPECT_EQ(read("Content-Length: five\r\n", "").state, Wrong);
  EXPECT_EQ(read("Transfer-Encoding: chunked\r\n", "zz\r\n").state, Wrong);
  EXPECT_EQ(read("Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n").state, Wrong);
  EXPECT_EQ(read("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n").state, Wrong) << "no number of bytes";
}

TEST(BodyReader, keeps_the_first_bytes_and_counts_all) {
  const auto head = read_head("HTTP/1.1 200 OK\r\n\r\n").value();
  BodyReader reader(head, false, 5);
  EXPECT_EQ(reader.take("hello, more"), 11U);
  EXPECT_EQ(reader.take("and more"), 8U);
  EXPECT_EQ(reader.body(), "hello");
  EXPECT_EQ(reader.size(), 19U);
}

// Guards a chunk that is larger than what is kept: its first bytes count before its end has come.
TEST(BodyReader, has_the_beginning_of_a_chunk) {
  const auto head = read_head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").value();
  BodyReader reader(head, false, 5);
  EXPECT_EQ(reader.take("100000\r\nhello, more"), 19U);
  EXPECT_EQ(reader.body(), "hello");
  EXPECT_EQ(reader.state(), BodyReader::State::NeedsMore);
}

// Guards the memory of the agent: these lines are no data, so that no limit of the body ends them.
TEST(BodyReader, endless_extensions_and_trailers_are_wrong) {
  const auto head = read_head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").value();
  for (const char* start : {"5;", "0\r\na: "}) {
    BodyReader reader(head, false, 5);
    reader.take(start);
    reader.take(std::string(65 * 1024, 'x'));
    EXPECT_EQ(reader.state(), BodyReader::State::Wrong) << start;
  }
}

}  // namespace
}  // namespace meshdns::http
