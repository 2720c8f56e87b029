#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meshdns::kubernetes {

/// Splits the body of a watch into its lines, whatever the pieces in which the body arrives:
///
///   splitter.put(piece);
///   for (;;) { auto line = splitter.next(); ... }   // until it returns nothing
class LineSplitter {
 public:
  /// Many times the size of an object: etcd takes 1.5 MiB.
  static constexpr std::size_t kLongestLine = std::size_t{16} << 20;

  /// longest: the most bytes of a line
  explicit LineSplitter(std::size_t longest = kLongestLine) : longest_(longest) {}

  /// Appends the bytes that have arrived. Lines that next() has returned before become invalid.
  void put(std::string_view bytes);
  /// Returns the next complete line without its end, or nothing if there is none yet. Skips empty lines. The line is
  /// valid until the next put().
  /// errors: ResourceExhausted: the line is too long, whether it is complete or not
  Result<std::optional<std::string_view>> next();
  /// The number of bytes that next() has not returned yet.
  std::size_t pending() const { return buffer_.size() - begin_; }

 private:
  std::size_t longest_;
  std::string buffer_;
  std::size_t begin_ = 0;    // of the next line
  std::size_t scanned_ = 0;  // there is no line end between begin_ and here
};

}  // namespace meshdns::kubernetes
