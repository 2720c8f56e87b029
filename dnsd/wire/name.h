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

/// A name in wire form: length byte, label, ..., the root's zero byte. A valid name has 1 to 255 bytes. Refers to
/// memory that somebody else owns.
using NameBytes = std::span<const std::uint8_t>;

/// Returns a 64-bit hash of the bytes of a name, the same in every process of one build.
/// requires: the name is folded, if names that differ in case shall have equal hashes
std::uint64_t hash_name(NameBytes name) noexcept;

/// A name of a message, uncompressed and folded to lower case (RFC 4343), ready for look-ups.
struct FoldedName {
  std::uint8_t length = 0;                // bytes, with the root's: 1 to 255; 0 = nothing was read
  std::uint8_t labels = 0;                // without the root: 0 to 127
  std::uint64_t hash = 0;                 // hash_name(view())
  std::array<std::uint8_t, 256> bytes;    // after `length` zero up to the next multiple of 16, then undefined
  std::array<std::uint8_t, 128> offsets;  // offset of each label in `bytes`; offsets[labels] is the root's

  NameBytes view() const noexcept { return NameBytes(bytes).first(length); }
  /// Returns the name without its first labels.
  /// requires: skip <= labels
  NameBytes suffix(std::size_t skip) const noexcept { return view().subspan(offsets[skip]); }
  /// Returns the i-th label without its length byte.
  /// requires: i < labels
  NameBytes label(std::size_t i) const noexcept {
    return view().subspan(offsets[i] + std::size_t{1}, bytes[offsets[i]]);
  }
};

/// Reads a name of a message that must not be compressed, like the first one, which has nothing to point at.
/// returns: the position after the name; 0 = the name is malformed (bounds, length, label type) or compressed
/// source:  RFC 1035 3.1
std::size_t read_plain_name(std::span<const std::uint8_t> message, std::size_t position, FoldedName& out) noexcept;

/// Folds a name in wire form.
/// requires: the name is valid
void fold_name(NameBytes name, FoldedName& out) noexcept;

/// Returns the position after a name; 0 = the name is malformed. Checks a pointer, but not the name that it points at.
std::size_t skip_name(std::span<const std::uint8_t> message, std::size_t position) noexcept;

/// Returns whether two names have the same bytes. Compares names of 16 bytes or more sixteen at a time; the last
/// sixteen overlap those before.
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

/// Returns whether `name` is `ancestor` or below it, by whole labels.
/// requires: both are folded and valid
bool is_at_or_below(NameBytes name, NameBytes ancestor) noexcept;

/// Parses a name in presentation form (RFC 1035 5.1: \. \\ \DDD) and folds it to lower case. A dot at the end is
/// optional; "." is the root. Allocates; not for DNS workers.
Result<std::vector<std::uint8_t>> parse_name(std::string_view text);

/// Returns a name in presentation form, with a dot at the end. The text of a malformed name ends early.
std::string name_text(NameBytes name);

}  // namespace meshdns::wire
