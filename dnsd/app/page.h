#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.h"

namespace meshdns::dnsd::app {

/// The bounds on one page of a reply. The first row is always taken, so that a listing moves on even if a row is larger
/// than a page.
struct PageBounds {
  /// 1 MiB less 64 KiB for everything in a reply that is not a row.
  static constexpr std::size_t kMostBytes = (1UL << 20) - (64UL << 10);

  std::size_t rows = 0;  // 0 = any number
  std::size_t bytes = kMostBytes;
};

/// Counts rows and bytes of one page, and decides whether a further row fits.
class PageFill {
 public:
  explicit PageFill(PageBounds bounds) : bounds_(bounds) {}

  /// Adds a row if it fits.
  /// bytes: the encoded size of the row
  /// returns: false = the page is full, and the row belongs to the next page
  bool add(std::size_t bytes) {
    if (rows_ > 0 && !has_room(1, bytes)) return false;
    count(1, bytes);
    return true;
  }
  /// Adds rows whether they fit or not.
  /// bytes: the encoded size of all these rows
  void count(std::size_t rows, std::size_t bytes) {
    rows_ += rows;
    bytes_ += bytes + rows * kAround;
  }
  /// Returns whether this number of rows fits in addition, if all of them together have this number of bytes.
  bool has_room(std::size_t rows, std::size_t bytes) const {
    return (bounds_.rows == 0 || rows_ + rows <= bounds_.rows) && bytes_ + bytes + rows * kAround <= bounds_.bytes;
  }
  /// Adds bytes of the reply that belong to no row.
  void add_other(std::size_t bytes) { bytes_ += bytes; }
  /// Whether no further row fits, however small.
  bool full() const { return rows_ > 0 && !has_room(1, 0); }

 private:
  static constexpr std::size_t kAround = 6;  // bytes of a row's tag and length

  PageBounds bounds_;
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;
};

/// A token that says where the next page of a listing begins. Its text is opaque and needs no escapes in URLs.
struct Continue {
  std::string of;              // the kind of listing; a token of another kind is refused
  std::uint64_t revision = 0;  // of the records when the first page was made
  std::string after;           // the last key that was shown

  std::string text() const;
  /// Parses the text of a token.
  /// errors: InvalidArgument: the text is not a token, or not one of this kind of listing
  static Result<Continue> parse(const std::string& text, const std::string& of);
};

}  // namespace meshdns::dnsd::app
