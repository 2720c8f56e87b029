#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.h"

namespace meshdns::app {

/// What a page of an answer holds at most; the first row is always taken.
struct PageBounds {
  /// Below 1 MiB with room for what is in a reply besides rows.
  static constexpr std::size_t kMostBytes = (1UL << 20) - (64UL << 10);

  std::size_t rows = 0;  // 0 = any number
  std::size_t bytes = kMostBytes;
};

/// Counts the rows of one page.
class PageFill {
 public:
  explicit PageFill(PageBounds bounds) : bounds_(bounds) {}

  /// returns: false = the page is full, the row belongs to the next one. bytes: of the row in a message
  bool add(std::size_t bytes) {
    if (rows_ > 0 && !has_room(1, bytes)) return false;
    count(1, bytes);
    return true;
  }
  /// Adds rows of so many bytes together whether they fit or not.
  void count(std::size_t rows, std::size_t bytes) {
    rows_ += rows;
    bytes_ += bytes + rows * kAround;
  }
  /// Whether so many rows, of so many bytes together, fit besides those that there are.
  bool has_room(std::size_t rows, std::size_t bytes) const {
    return (bounds_.rows == 0 || rows_ + rows <= bounds_.rows) && bytes_ + bytes + rows * kAround <= bounds_.bytes;
  }
  /// Counts what is in the reply besides rows.
  void add_other(std::size_t bytes) { bytes_ += bytes; }
  /// Without looking at a further row.
  bool full() const { return rows_ > 0 && !has_room(1, 0); }

 private:
  static constexpr std::size_t kAround = 6;  // tag and length of a row

  PageBounds bounds_;
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;
};

/// The place in a listing where the next page begins. As text it is opaque and needs no escapes in URLs.
struct Continue {
  std::string of;              // what is listed: a page of something else does not take it
  std::uint64_t revision = 0;  // at which the first page was made
  std::string after;           // the last key that was shown

  std::string text() const;
  /// errors: InvalidArgument: no token, or one of something else
  static Result<Continue> parse(const std::string& text, const std::string& of);
};

}  // namespace meshdns::app
