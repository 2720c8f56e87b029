#include "common/net/prefix.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "common/base/check.h"
#include "common/base/text.h"

namespace meshdns {

Result<Prefix> Prefix::parse(std::string_view text) {
  const auto bad = [text](std::string_view why) {
    return Error(Code::InvalidArgument, fmt::format("expected a prefix like 10.0.0.0/8, {} (got \"{}\")", why, text));
  };
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return bad("the address is not one");
  if (slash == std::string_view::npos) return host(*address);
  const auto length = parse_uint(text.substr(slash + 1));
  if (!length || *length > static_cast<std::uint64_t>(address->bits())) {
    return bad(fmt::format("the length is not 0 to {}", address->bits()));
  }
  const Prefix out = of(*address, static_cast<int>(*length));
  if (out.address_ != *address) return bad(fmt::format("bits behind the length are set, did you mean {}", out.text()));
  return out;
}

Prefix Prefix::of(const IpAddress& address, int length) {
  MESHDNS_CHECK(length >= 0 && length <= address.bits());
  std::array<std::uint8_t, 16> bytes{};
  const auto from = address.bytes();
  for (int i = 0; i < static_cast<int>(from.size()); ++i) {
    const int kept = std::min(8, std::max(0, length - 8 * i));
    bytes[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(from[static_cast<std::size_t>(i)] & (0xff00 >> kept));
  }
  Prefix out;
  out.address_ = address.is_v4() ? IpAddress::v4_bytes(std::span(bytes).first<4>()) : IpAddress::v6_bytes(bytes);
  out.length_ = length;
  return out;
}

bool Prefix::contains(const IpAddress& address) const {
  if (address.family() != family()) return false;
  const auto mine = address_.bytes();
  const auto other = address.bytes();
  const auto whole = static_cast<std::size_t>(length_ / 8);
  if (!std::equal(mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(whole), other.begin())) return false;
  const int rest = length_ % 8;
  return rest == 0 || (mine[whole] ^ other[whole]) >> (8 - rest) == 0;
}

std::string Prefix::text() const { return fmt::format("{}/{}", address_.text(), length_); }

}  // namespace meshdns
