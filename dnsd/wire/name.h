#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "dnsd/wire/types.h"

namespace meshdns::wire {

/// A name in wire form: length byte, label, ..., the root's zero byte. Not owned. 1 to 255 bytes where valid.
using NameBytes = std::span<const std::uint8_t>;

/// 64-bit hash of a name in wire form, as it stands: fold it first. The same in every process of one build.
std::uint64_t hash_name(NameBytes name) noexcept;

/// A name of a message, uncompressed and folded to lower case (RFC 4343), ready to be looked up.
struct FoldedName {
  std::uint8_t length = 0;                // bytes, root included: 1 to 255; 0 = nothing was read
  std::uint8_t labels = 0;                // without the root: 0 to 127
  std::uint64_t hash = 0;                 // hash_name(view())
  std::array<std::uint8_t, 256> bytes;    // zero up to the next multiple of 16 behind `length`, undefined behind that
  std::array<std::uint8_t, 128> offsets;  // where each label starts in `bytes`; offsets[labels] is the root's

  NameBytes view() const noexcept { return NameBytes(bytes).first(length); }
  /// The name without its first `skip` labels; skip <= labels
  NameBytes suffix(std::size_t skip) const noexcept { return view().subspan(offsets[skip]); }
  /// The i-th label without its length byte; i < labels
  NameBytes label(std::size_t i) const noexcept {
    return view().subspan(offsets[i] + std::size_t{1}, bytes[offsets[i]]);
  }
};

/// Reads the name at `position`, following compression pointers, which must go strictly backwards.
/// returns: the position behind the name in the message; 0 if it is malformed (bounds, length, label type, pointer)
/// source:  RFC 1035 4.1.4
std::size_t read_name(std::span<const std::uint8_t> message, std::size_t position, FoldedName& out) noexcept;

/// As read_name, but a name that is compressed is malformed: the first name of a message has nothing to point at.
std::size_t read_plain_name(std::span<const std::uint8_t> message, std::size_t position, FoldedName& out) noexcept;

/// Folds a valid name in wire form.
void fold_name(NameBytes name, FoldedName& out) noexcept;

/// The position behind the name, which is checked one pointer deep; 0 if it is malformed.
std::size_t skip_name(std::span<const std::uint8_t> message, std::size_t position) noexcept;

/// The same bytes. As fast as it can be for names of 16 bytes and more: sixteen at a time, the last ones overlapping.
inline bool is_same(NameBytes a, NameBytes b) noexcept {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (size < 16) return std::memcmp(a.data(), b.data(), size) == 0;
  const auto difference = [&](std::size_t at) {
    std::array<std::uint64_t, 2> left;
    std::array<std::uint64_t, 2> right;
    std::memcpy(left.data(), a.data() + at, sizeof left);
    std::memcpy(right.data(), b.data() + at, sizeof right);
    return (left[0] ^ right[0]) | (left[1] ^ right[1]);
  };
  std::uint64_t found = difference(size - 16);
  for (std::size_t at = 0; at + 16 < size; at += 16) found |= difference(at);
  return found == 0;
}

/// `name` is `ancestor` or below it, by whole labels. Both folded and valid.
bool is_at_or_below(NameBytes name, NameBytes ancestor) noexcept;

/// Presentation form (RFC 1035 5.1: \. \\ \DDD) to wire form, folded to lower case; a dot at the end is optional,
/// "." is the root. Control side and tests only: it allocates.
Result<std::vector<std::uint8_t>> parse_name(std::string_view text);

/// Wire form to presentation form with a dot at the end; "." for the root. Malformed input ends the text early.
std::string name_text(NameBytes name);

}  // namespace meshdns::wire
