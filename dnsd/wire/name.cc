#include "dnsd/wire/name.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/base/text.h"
#include "dnsd/wire/byte_order.h"

namespace meshdns::wire {
namespace {

constexpr std::uint64_t kSeed = 0x2D358DCCAA6C78A5;
constexpr std::uint64_t kSecret = 0x9FB21C651E98DF25;

/// Sixteen bytes in a vector register.
using Chunk = std::uint8_t __attribute__((vector_size(16)));
__extension__ typedef unsigned __int128 Product;

/// Folds letters to lower case. Length bytes are below 64 and do not change; bytes above 127 do not either.
Chunk fold(Chunk chunk) noexcept {
  const auto capital = reinterpret_cast<Chunk>((chunk - 'A') < static_cast<std::uint8_t>(26));
  return chunk | (capital & 0x20);
}

Chunk load_chunk(const std::uint8_t* from) noexcept {
  Chunk chunk;
  std::memcpy(&chunk, from, sizeof chunk);
  return chunk;
}

/// Returns the first bytes of the chunk, followed by zeros.
/// count: 0 to 16
Chunk first_of(Chunk chunk, std::size_t count) noexcept {
  alignas(Chunk) static constexpr std::array<std::uint8_t, 32> kMasks = {
      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  return chunk & load_chunk(kMasks.data() + sizeof chunk - count);
}

/// Mixes a chunk into the hash by one wide multiplication, as wyhash does.
std::uint64_t mix(std::uint64_t hash, Chunk chunk) noexcept {
  std::array<std::uint64_t, 2> halves;
  std::memcpy(halves.data(), &chunk, sizeof chunk);
  const Product product = static_cast<Product>(halves[0] ^ kSecret) * (halves[1] ^ hash);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Folds and hashes a name.
/// from:     the name; may be out.bytes itself
/// readable: bytes at `from` that may be read, at least `length`
void finish(const std::uint8_t* from, std::size_t length, std::size_t readable, FoldedName& out) noexcept {
  out.length = static_cast<std::uint8_t>(length);
  std::uint8_t* bytes = out.bytes.data();
  if (readable < (length + sizeof(Chunk) - 1) / sizeof(Chunk) * sizeof(Chunk)) {
    if (from != bytes) std::memcpy(bytes, from, length);
    from = bytes;
  }
  std::uint64_t hash = kSeed ^ length;
  std::size_t at = 0;
  for (; at + sizeof(Chunk) < length; at += sizeof(Chunk)) {
    const Chunk chunk = fold(load_chunk(from + at));
    std::memcpy(bytes + at, &chunk, sizeof chunk);
    hash = mix(hash, chunk);
  }
  const Chunk last = first_of(fold(load_chunk(from + at)), length - at);
  std::memcpy(bytes + at, &last, sizeof last);
  out.hash = mix(hash, last);
}

/// Returns the offset to which a pointer leads (RFC 1035 4.1.4).
std::size_t load_pointer(std::span<const std::uint8_t> message, std::size_t at) noexcept {
  return load16(message.data() + at) & 0x3FFFU;
}

/// Returns the byte that an escape stands for, and moves `at` past the escape.
Result<std::uint8_t> unescape(std::string_view text, std::size_t& at) {
  const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  if (at >= text.size()) return Error(Code::InvalidArgument, "a backslash at the end");
  if (!digit(at)) return static_cast<std::uint8_t>(text[at++]);
  if (!digit(at + 1) || !digit(at + 2)) return Error(Code::InvalidArgument, "a backslash needs three digits");
  const int value = (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
  if (value > 255) return Error(Code::InvalidArgument, "an escape above \\255");
  at += 3;
  return static_cast<std::uint8_t>(value);
}

Result<std::size_t> parse_label(std::string_view text, std::size_t at, std::vector<std::uint8_t>& out) {
  const std::size_t length_at = out.size();
  out.push_back(0);
  while (at < text.size() && text[at] != '.') {
    if (text[at] != '\\') {
      out.push_back(static_cast<std::uint8_t>(ascii_lower(text[at++])));
      continue;
    }
    const auto byte = unescape(text, ++at);
    if (!byte) return byte.error();
    out.push_back(static_cast<std::uint8_t>(ascii_lower(static_cast<char>(*byte))));
  }
  const std::size_t length = out.size() - length_at - 1;
  if (length == 0) return Error(Code::InvalidArgument, "an empty label");
  if (length > kMaxLabel) return Error(Code::InvalidArgument, "a label of more than 63 bytes");
  out[length_at] = static_cast<std::uint8_t>(length);
  return at;
}

void append_escaped(std::string& text, std::uint8_t byte) {
  if (byte == '.' || byte == '\\' || byte == '"' || byte == ';' || byte == '(' || byte == ')' || byte == '@' ||
      byte == '$') {
    text += '\\';
    text += static_cast<char>(byte);
  } else if (byte > 0x20 && byte < 0x7F) {
    text += static_cast<char>(byte);
  } else {
    text += '\\';
    for (const int unit : {100, 10, 1}) text += static_cast<char>('0' + byte / unit % 10);
  }
}

}  // namespace

std::uint64_t hash_name(NameBytes name) noexcept {
  std::uint64_t hash = kSeed ^ name.size();
  std::size_t at = 0;
  for (; at + sizeof(Chunk) < name.size(); at += sizeof(Chunk)) hash = mix(hash, load_chunk(name.data() + at));
  Chunk last{};
  std::memcpy(&last, name.data() + at, name.size() - at);
  return mix(hash, last);
}

std::size_t read_plain_name(std::span<const std::uint8_t> message, std::size_t position, FoldedName& out) noexcept {
  if (position >= message.size()) return 0;
  const std::uint8_t* name = message.data() + position;
  const std::size_t readable = message.size() - position;
  const std::size_t room = std::min(readable, kMaxName);
  std::size_t labels = 0;
  std::size_t at = 0;
  std::size_t length = 0;
  while (out.offsets[labels] = static_cast<std::uint8_t>(at), length = name[at], length - 1 < kMaxLabel) {
    ++labels;
    at += 1 + length;
    if (at >= room) return 0;
  }
  if (length != 0) return 0;  // longer than a label, or a pointer
  out.labels = static_cast<std::uint8_t>(labels);
  finish(name, at + 1, readable, out);
  return position + at + 1;
}

void fold_name(NameBytes name, FoldedName& out) noexcept { read_plain_name(name, 0, out); }

std::size_t skip_name(std::span<const std::uint8_t> message, std::size_t position) noexcept {
  std::size_t at = position;
  while (at < message.size()) {
    const std::uint8_t length = message[at];
    if (length >= 0xC0) {
      if (at + 1 >= message.size() || load_pointer(message, at) >= position) return 0;
      return at + 2;
    }
    if (length > kMaxLabel || at - position + 1 + length > kMaxName) return 0;
    at += std::size_t{1} + length;
    if (length == 0) return at;
  }
  return 0;
}

bool is_at_or_below(NameBytes name, NameBytes ancestor) noexcept {
  if (name.size() < ancestor.size()) return false;
  const std::size_t extra = name.size() - ancestor.size();
  std::size_t at = 0;
  while (at < extra) at += std::size_t{1} + name[at];
  return at == extra && std::memcmp(name.data() + extra, ancestor.data(), ancestor.size()) == 0;
}

Result<std::vector<std::uint8_t>> parse_name(std::string_view text) {
  const auto fail = [&](const Error& error) { return error.with_context("name \"" + std::string(text) + "\""); };
  std::vector<std::uint8_t> out;
  if (text.empty()) return fail(Error(Code::InvalidArgument, "empty"));
  std::size_t at = text == "." ? 1 : 0;
  while (at < text.size()) {
    const auto next = parse_label(text, at, out);
    if (!next) return fail(next.error());
    at = *next + 1;  // after the dot, or after the end
  }
  out.push_back(0);
  if (out.size() > kMaxName) return fail(Error(Code::InvalidArgument, "longer than 255 bytes"));
  return out;
}

std::string name_text(NameBytes name) {
  std::string text;
  std::size_t at = 0;
  while (at < name.size() && name[at] != 0 && at + 1 + name[at] <= name.size()) {
    for (const std::uint8_t byte : name.subspan(at + 1, name[at])) append_escaped(text, byte);
    text += '.';
    at += std::size_t{1} + name[at];
  }
  return text.empty() ? "." : text;
}

}  // namespace meshdns::wire
