// Any bytes of an HTTP server: what is read of them does not depend on the pieces in which they come, no more is kept
// than the limits say, and nothing crashes. The first byte says whether the request was HEAD.
#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>

#include "common/http/answer_reader.h"
#include "tests/fuzz/fuzz.h"

using meshdns::http::AnswerReader;

namespace {

using Seen = std::tuple<AnswerReader::State, int, std::string, bool>;

Seen read(std::string_view bytes, std::size_t piece, bool head_only) {
  AnswerReader reader(head_only);
  for (std::size_t at = 0; at < bytes.size(); at += piece) reader.take(bytes.substr(at, piece));
  const bool is_open = reader.leaves_connection_open();
  MESHDNS_CHECK(!is_open || reader.state() == AnswerReader::State::Complete);
  if (reader.state() == AnswerReader::State::Head || reader.state() == AnswerReader::State::Body) reader.end();
  MESHDNS_CHECK(reader.state() == AnswerReader::State::Complete || reader.state() == AnswerReader::State::Wrong);
  MESHDNS_CHECK((reader.state() == AnswerReader::State::Wrong) != reader.problem().empty());
  MESHDNS_CHECK(reader.body().size() <= std::min(bytes.size(), AnswerReader::kMaxBody));
  const int status = reader.has_head() ? reader.head().status : 0;
  MESHDNS_CHECK(status == 0 || (status >= 100 && status <= 999));
  return {reader.state(), status, reader.body(), is_open};
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool head_only = data[0] == 'H';
  const Seen whole = read(bytes, std::max<std::size_t>(bytes.size(), 1), head_only);
  MESHDNS_CHECK(whole == read(bytes, 1, head_only));
  MESHDNS_CHECK(whole == read(bytes, 7, head_only));
  return 0;
}
