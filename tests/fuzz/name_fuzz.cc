// A name is read the same by every reader, ends inside the message, and survives text and hash.
#include <algorithm>
#include <cstring>

#include "dnsd/wire/name.h"
#include "tests/fuzz/fuzz.h"

using meshdns::wire::FoldedName;
using meshdns::wire::NameBytes;

namespace {

void check_name(const FoldedName& name) {
  MESHDNS_CHECK(name.length >= 1 && name.length <= meshdns::wire::kMaxName);
  MESHDNS_CHECK(name.bytes[name.length - 1U] == 0);
  MESHDNS_CHECK(name.hash == meshdns::wire::hash_name(name.view()));
  std::size_t at = 0;
  for (std::size_t i = 0; i < name.labels; ++i) {
    MESHDNS_CHECK(name.offsets[i] == at);
    at += std::size_t{1} + name.bytes[at];
    MESHDNS_CHECK(meshdns::wire::is_at_or_below(name.view(), name.suffix(i)));
  }
  MESHDNS_CHECK(at + 1 == name.length);
  const auto again = meshdns::wire::parse_name(meshdns::wire::name_text(name.view()));
  MESHDNS_CHECK(again.has_value());
  MESHDNS_CHECK(std::ranges::equal(*again, name.view()));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto message = meshdns::fuzz::exact(data + 1, size - 1);
  const std::size_t position = message.empty() ? 0 : data[0] % message.size();
  const std::size_t skipped = meshdns::wire::skip_name(message, position);
  MESHDNS_CHECK(skipped <= message.size());
  FoldedName name;
  const std::size_t end = meshdns::wire::read_plain_name(message, position, name);
  if (end != 0) {
    MESHDNS_CHECK(skipped == end);
    check_name(name);
  }
  const std::string_view text(reinterpret_cast<const char*>(message.data()), message.size());
  if (const auto parsed = meshdns::wire::parse_name(text)) {
    FoldedName folded;
    meshdns::wire::fold_name(*parsed, folded);
    check_name(folded);
    MESHDNS_CHECK(std::ranges::equal(*parsed, folded.view()));
  }
  return 0;
}
