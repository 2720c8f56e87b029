#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/net/ip_address.h"
#include "common/net/prefix.h"
#include "common/time/time.h"

namespace meshdns::answers {

// Values as bytes and back, for the file of a compiled table. One function per type does both: carry(io, value), where
// io is a ByteWriter or a ByteReader. Numbers are in the machine's byte order, because the file does not leave the
// machine.

/// A type whose bytes in memory are its bytes in the file.
template <class T>
concept Plain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

/// Appends values to a string.
class ByteWriter {
 public:
  static constexpr bool kReads = false;

  /// Writes the values one after the other.
  void operator()(const auto&... values) { (carry(*this, values), ...); }
  /// Writes bytes as they are.
  void raw(const void* from, std::size_t size) { bytes_.append(static_cast<const char*>(from), size); }
  void reserve(std::size_t size) { bytes_.reserve(size); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads values that ByteWriter has written. Anything may be in the bytes: a value that is cut off reads as zero, and
/// failed() is true from then on. The bytes must outlive this.
class ByteReader {
 public:
  static constexpr bool kReads = true;

  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  /// Reads the values one after the other.
  void operator()(auto&... values) { (carry(*this, values), ...); }
  /// Reads bytes as they are; leaves `to` unchanged if there are fewer.
  void raw(void* to, std::size_t size) {
    const std::string_view found = view(size);
    if (!found.empty()) std::memcpy(to, found.data(), found.size());
  }
  /// Returns the next bytes; empty if there are fewer.
  std::string_view view(std::size_t size) {
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  /// Reads a number of elements, and fails if it cannot be true: each element takes at least one byte.
  std::size_t count() {
    std::uint32_t out = 0;
    raw(&out, sizeof out);
    if (out > rest_.size()) fail();
    return failed_ ? 0 : out;
  }
  void fail() {
    failed_ = true;
    rest_ = {};
  }
  bool failed() const { return failed_; }
  std::size_t rest() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

/// Writes a number of elements, as ByteReader::count() reads it.
inline void write_count(ByteWriter& io, std::size_t count) { io(static_cast<std::uint32_t>(count)); }

template <Plain T>
void carry(ByteWriter& io, const T& value) {
  io.raw(&value, sizeof value);
}
template <Plain T>
void carry(ByteReader& io, T& value) {
  value = T{};
  io.raw(&value, sizeof value);
}

// Any byte other than 0 and 1 is not a bool, and reading it as one would be undefined.
inline void carry(ByteReader& io, bool& value) {
  std::uint8_t byte = 0;
  io(byte);
  value = byte == 1;
  if (byte > 1) io.fail();
}

inline void carry(ByteWriter& io, const std::string& value) {
  write_count(io, value.size());
  io.raw(value.data(), value.size());
}
inline void carry(ByteReader& io, std::string& value) { value = io.view(io.count()); }

template <class Rep, class Period>
void carry(ByteWriter& io, const std::chrono::duration<Rep, Period>& value) {
  io(value.count());
}
template <class Rep, class Period>
void carry(ByteReader& io, std::chrono::duration<Rep, Period>& value) {
  Rep count{};
  io(count);
  value = std::chrono::duration<Rep, Period>(count);
}

inline void carry(ByteWriter& io, const IpAddress& value) {
  io(static_cast<std::uint8_t>(value.bytes().size()));
  io.raw(value.bytes().data(), value.bytes().size());
}
inline void carry(ByteReader& io, IpAddress& value) {
  std::uint8_t size = 0;
  io(size);
  const auto read = IpAddress::from_bytes(io.view(size));
  if (!read) return io.fail();
  value = *read;
}

inline void carry(ByteWriter& io, const Prefix& value) { io(value.address(), value.length()); }
inline void carry(ByteReader& io, Prefix& value) {
  IpAddress address;
  int length = 0;
  io(address, length);
  if (length < 0 || length > address.bits()) return io.fail();
  value = Prefix::of(address, length);
}

template <class T>
void carry(ByteWriter& io, const std::vector<T>& list) {
  write_count(io, list.size());
  for (const T& value : list) io(value);
}
template <class T>
void carry(ByteReader& io, std::vector<T>& list) {
  const std::size_t count = io.count();
  list.clear();
  for (std::size_t i = 0; i < count && !io.failed(); ++i) io(list.emplace_back());
}

template <class K, class V>
void carry(ByteWriter& io, const std::map<K, V>& map) {
  write_count(io, map.size());
  for (const auto& [key, value] : map) io(key, value);
}
template <class K, class V>
void carry(ByteReader& io, std::map<K, V>& map) {
  const std::size_t count = io.count();
  map.clear();
  for (std::size_t i = 0; i < count && !io.failed(); ++i) {
    K key{};
    io(key);
    io(map[std::move(key)]);
  }
}

template <class T>
void carry(ByteWriter& io, const std::set<T>& set) {
  write_count(io, set.size());
  for (const T& value : set) io(value);
}
template <class T>
void carry(ByteReader& io, std::set<T>& set) {
  const std::size_t count = io.count();
  set.clear();
  for (std::size_t i = 0; i < count && !io.failed(); ++i) {
    T value{};
    io(value);
    set.insert(std::move(value));
  }
}

template <class T>
void carry(ByteWriter& io, const std::optional<T>& value) {
  io(value.has_value());
  if (value) io(*value);
}
template <class T>
void carry(ByteReader& io, std::optional<T>& value) {
  std::uint8_t there = 0;
  io(there);
  value.reset();
  if (there != 0) io(value.emplace());
}

}  // namespace meshdns::answers
